// @ts-check
import luaparse from 'luaparse';
import { LuaProblem } from './lua-problem.mjs';

/**
 * @typedef {import('luaparse').Node} Node
 * @typedef {import('luaparse').Identifier & { isLocal?: boolean }} Identifier
 * @typedef {{ node: Node, parents: readonly Node[] }} Visit a node and those around it, the nearest last
 */

/** Messages name the token before an error, and the parser fails over one without: this is a statement to begin with. */
const PRELUDE = 'do end ';

/**
 * Parses a script as Lua 5.1, the version that Redis and Valkey run. Lines count from the top of the file.
 *
 * @param {string} source
 * @returns {{ chunk: import('luaparse').Chunk } | { problem: LuaProblem }}
 */
export function parseBody(source) {
  try {
    // The parser takes one character for one byte, as Lua does.
    const bytes = Buffer.from(source, 'utf8').toString('latin1');
    const chunk = luaparse.parse(PRELUDE + bytes, {
      luaVersion: '5.1',
      encodingMode: 'pseudo-latin1',
      scope: true,
      locations: true,
      comments: false,
    });
    return { chunk: { ...chunk, body: chunk.body.slice(1) } };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const [, line = '1', what = error.message] = /^\[(\d+):\d+\] (.*)$/s.exec(error.message) ?? [];
    return { problem: new LuaProblem(Number(line), `not valid Lua 5.1: ${what}`, 'correct the syntax') };
  }
}

/**
 * Every node of a tree in source order. What is written in a string or a comment is part of no other
 * node, so that it is never taken for code.
 *
 * @param {Node} node
 * @param {readonly Node[]} parents
 * @returns {Generator<Visit>}
 */
export function* walk(node, parents = []) {
  yield { node, parents };
  const inside = [...parents, node];
  for (const [property, value] of Object.entries(node)) {
    // The parser also lists the globals that it met, beside the tree.
    if (property === 'globals') continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* walk(child, inside);
    }
  }
}

/**
 * Every use of a variable: `x`, but not the `x` of `t.x` or of `{ x = 1 }`.
 *
 * @param {Node} root
 * @returns {Generator<Visit & { node: Identifier }>}
 */
export function* walkVariables(root) {
  for (const { node, parents } of walk(root)) {
    if (node.type !== 'Identifier') continue;
    const parent = parents.at(-1);
    if (parent?.type === 'MemberExpression' && parent.identifier === node) continue;
    if (parent?.type === 'TableKeyString' && parent.key === node) continue;
    yield { node, parents };
  }
}

/**
 * @param {Node} node
 * @returns {number} the line it starts on
 */
export function lineOf(node) {
  return node.loc?.start.line ?? 1;
}

/**
 * @param {Node | null | undefined} node
 * @returns {number | undefined} the value of a number that is written out
 */
export function literalNumber(node) {
  return node?.type === 'NumericLiteral' ? node.value : undefined;
}

/**
 * @param {unknown} value
 * @returns {value is Node}
 */
function isNode(value) {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

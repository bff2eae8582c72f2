// @ts-check
import { LuaProblem } from './lua-problem.mjs';
import { findBindings } from './check-bindings.mjs';
import { lineOf, literalNumber, walkVariables } from './parse-body.mjs';

/**
 * @typedef {import('./parse-body.mjs').Node} Node
 * @typedef {import('./parse-header.mjs').Parameter} Parameter
 */

/**
 * The rule: apart from the bindings at the top, a script reads KEYS and ARGV only through a declared tail, in a form
 * that shows where it reads: `#ARGV`, `unpack(ARGV, 3)`, `ipairs(KEYS)` of a tail that is all of it, or `ARGV[i]` where a
 * numeric `for` says that `i` stays in the tail.
 *
 * @param {import('./parse-header.mjs').Header} header
 * @param {import('luaparse').Chunk} chunk
 * @returns {LuaProblem[]}
 */
export function checkTails(header, chunk) {
  const bound = new Set(findBindings(chunk).map(({ access }) => access));
  const tails = {
    KEYS: header.keys.find(({ variadic }) => variadic),
    ARGV: header.args.find(({ variadic }) => variadic),
  };
  const used = new Set();
  const problems = [];
  for (const { node, parents } of walkVariables(chunk)) {
    const table = node.name;
    const parent = parents.at(-1);
    if ((table !== 'KEYS' && table !== 'ARGV') || (parent !== undefined && bound.has(parent))) continue;
    used.add(table);
    const problem = explainRead(table, node, parents, tails[table]);
    if (problem !== undefined) problems.push(new LuaProblem(lineOf(node), problem.what, problem.fix));
  }
  for (const tail of [tails.KEYS, tails.ARGV]) {
    if (tail === undefined || used.has(tail.table)) continue;
    const what = `${tail.table} ${tail.name}... is declared but not used`;
    problems.push(new LuaProblem(tail.line, what, `use or remove it`));
  }
  return problems;
}

/**
 * @param {'KEYS' | 'ARGV'} table
 * @param {Node} node the table's name in the body
 * @param {readonly Node[]} parents
 * @param {Parameter | undefined} tail
 * @returns {{ what: string, fix: string } | undefined} what is wrong with this read
 */
function explainRead(table, node, parents, tail) {
  const parent = parents.at(-1);
  const index = parent?.type === 'IndexExpression' && parent.base === node ? parent.index : undefined;
  const literal = literalNumber(index);
  if (literal !== undefined && (tail === undefined || literal < tail.index)) {
    return { what: `${table}[${literal}] is read away from the top`, fix: 'bind it once at the top, and use the name' };
  }
  if (tail === undefined) {
    return {
      what: `${table} is read as a whole, but the header declares no tail`,
      fix: `declare "${table}  name...  <type>"`,
    };
  }
  if (index !== undefined) return explainIndex(index, parents, tail);
  if (parent?.type === 'UnaryExpression' && parent.operator === '#') return undefined;
  if (parent?.type === 'CallExpression' && parent.base.type === 'Identifier' && parent.arguments[0] === node) {
    const start = parent.arguments.length > 1 ? literalNumber(parent.arguments[1]) : 1;
    const isTail = start === tail.index && ['unpack', 'ipairs'].includes(parent.base.name);
    if (isTail) return undefined;
  }
  return {
    what: `${table} is read in a way that the header cannot vouch for`,
    fix: `read the tail "${tail.name}..." by #${table}, unpack(${table}, ${tail.index}) or ${table}[i] in a "for"`,
  };
}

/**
 * @param {Node} index
 * @param {readonly Node[]} parents
 * @param {Parameter} tail
 */
function explainIndex(index, parents, tail) {
  const width = tail.types.length;
  const first = smallest(index, parents);
  const loop = parents.findLast(
    (parent) => parent.type === 'ForNumericStatement' && endsWithLengthOf(tail.table, parent),
  );
  const step = loop?.type === 'ForNumericStatement' && loop.step !== null ? literalNumber(loop.step) : 1;
  if (tail.tuple && loop !== undefined && step !== width) {
    return {
      what: `the loop over "${tail.name}..." takes ${step} at a time`,
      fix: `step by ${width}, the size of a tuple`,
    };
  }
  if (first !== undefined && first >= tail.index && (!tail.tuple || first < tail.index + width)) return undefined;
  return {
    what: `${tail.table}[...] cannot be shown to stay within the tail "${tail.name}..."`,
    fix: `index it by the variable of "for i = ${tail.index}, #${tail.table}", or by a sum with it`,
  };
}

/**
 * @param {Node} expression
 * @param {readonly Node[]} parents
 * @returns {number | undefined} the least value that the expression can take, where the code shows it
 */
function smallest(expression, parents) {
  if (expression.type === 'NumericLiteral') return expression.value;
  if (expression.type === 'Identifier') {
    const loop = parents.findLast(
      (parent) => parent.type === 'ForNumericStatement' && parent.variable.name === expression.name,
    );
    if (loop?.type !== 'ForNumericStatement') return undefined;
    const step = loop.step === null ? 1 : (literalNumber(loop.step) ?? 0);
    return step > 0 ? smallest(loop.start, parents) : undefined;
  }
  if (expression.type !== 'BinaryExpression') return undefined;
  const left = smallest(expression.left, parents);
  const right = smallest(expression.right, parents);
  if (left === undefined || right === undefined) return undefined;
  if (expression.operator === '+') return left + right;
  if (expression.operator === '-') return literalNumber(expression.right) === undefined ? undefined : left - right;
  return expression.operator === '*' && left >= 0 && right >= 0 ? left * right : undefined;
}

/**
 * @param {'KEYS' | 'ARGV'} table
 * @param {import('luaparse').ForNumericStatement} loop
 */
function endsWithLengthOf(table, { end }) {
  return (
    end.type === 'UnaryExpression' &&
    end.operator === '#' &&
    end.argument.type === 'Identifier' &&
    end.argument.name === table
  );
}

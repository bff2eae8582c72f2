// @ts-check
import { isWritten } from './check-bindings.mjs';
import { FORBIDDEN, FORBIDDEN_COMMANDS, FORBIDDEN_MEMBERS, FUNCTIONS, LIBRARIES } from './lua-names.mjs';
import { LuaProblem } from './lua-problem.mjs';
import { lineOf, walk, walkVariables } from './parse-body.mjs';

/** @typedef {import('./parse-body.mjs').Node} Node */

/**
 * The rule: a script makes no global, reads none but those of the allowed list, names every command it sends, sends
 * none of the forbidden ones, and makes up no key of its own, nor the one error that the runner answers by a second try.
 *
 * @param {import('./parse-header.mjs').Header} header
 * @param {import('luaparse').Chunk} chunk
 * @returns {LuaProblem[]}
 */
export function checkCalls(header, chunk) {
  const problems = [];
  for (const { node, parents } of walkVariables(chunk)) {
    if (node.isLocal === true || node.name === 'KEYS' || node.name === 'ARGV') continue;
    const problem = explainGlobal(node, parents);
    if (problem !== undefined) problems.push(new LuaProblem(lineOf(node), problem.what, problem.fix));
  }
  for (const { node } of walk(chunk)) {
    const problem = explainCommand(node) ?? explainMadeUpKey(node, header) ?? explainError(node);
    if (problem !== undefined) problems.push(new LuaProblem(lineOf(node), problem.what, problem.fix));
  }
  return problems;
}

/**
 * @param {import('./parse-body.mjs').Identifier} node
 * @param {readonly Node[]} parents
 * @returns {{ what: string, fix: string } | undefined}
 */
function explainGlobal(node, parents) {
  const { name } = node;
  const parent = parents.at(-1);
  if (isWritten(node, parent)) return { what: `"${name}" becomes a global`, fix: 'write "local" before it' };
  const instead = FORBIDDEN.get(name);
  if (instead !== undefined) return { what: `"${name}" must not be used`, fix: instead };
  if (FUNCTIONS.has(name)) return undefined;
  if (!LIBRARIES.has(name)) return { what: `"${name}" is not defined`, fix: 'declare it, or correct the spelling' };
  if (parent?.type !== 'MemberExpression' || parent.base !== node) {
    return { what: `"${name}" is used as a value`, fix: `write ${name}.<function> where it is called` };
  }
  return explainMember(`${name}.${parent.identifier.name}`, parent, parents.at(-2));
}

/**
 * @param {string} path
 * @param {Node} member
 * @param {Node | undefined} user
 */
function explainMember(path, member, user) {
  const instead = FORBIDDEN_MEMBERS.get(path);
  if (instead !== undefined) return { what: `"${path}" must not be used`, fix: instead };
  if (path !== 'redis.call' && path !== 'redis.pcall') return undefined;
  const isCalled = user !== undefined && 'base' in user && user.base === member && user.type.endsWith('CallExpression');
  return isCalled ? undefined : { what: `"${path}" is used as a value`, fix: `call ${path} where it is needed` };
}

/**
 * @param {Node} node
 * @returns {{ what: string, fix: string } | undefined}
 */
function explainCommand(node) {
  if (node.type !== 'CallExpression' && node.type !== 'StringCallExpression') return undefined;
  const { base } = node;
  if (base.type !== 'MemberExpression' || base.base.type !== 'Identifier' || base.base.name !== 'redis')
    return undefined;
  if (!['call', 'pcall'].includes(base.identifier.name)) return undefined;
  const command = node.type === 'CallExpression' ? node.arguments[0] : node.argument;
  if (command?.type !== 'StringLiteral') {
    return { what: 'the command is not written out', fix: 'give redis.call the name of the command as a string' };
  }
  const name = command.value.toUpperCase();
  const instead = FORBIDDEN_COMMANDS.get(name);
  return instead === undefined ? undefined : { what: `the command ${name} must not be used`, fix: instead };
}

/**
 * @param {Node} node
 * @param {import('./parse-header.mjs').Header} header
 */
function explainMadeUpKey(node, { keys }) {
  if (node.type !== 'BinaryExpression' || node.operator !== '..') return undefined;
  const isKey = [node.left, node.right].some(
    (operand) =>
      (operand.type === 'Identifier' && keys.some(({ name }) => name === operand.name)) ||
      (operand.type === 'IndexExpression' && operand.base.type === 'Identifier' && operand.base.name === 'KEYS'),
  );
  return isKey
    ? {
        what: 'a key is made from another key',
        fix: 'declare it in KEYS and pass it in: a Cluster must know every key',
      }
    : undefined;
}

/** @param {Node} node */
function explainError(node) {
  return node.type === 'StringLiteral' && node.value.startsWith('NOSCRIPT')
    ? {
        what: 'the error NOSCRIPT belongs to the server',
        fix: 'choose another code: callers read this one as "did not run"',
      }
    : undefined;
}

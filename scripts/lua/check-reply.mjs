// @ts-check
import { LuaProblem } from './lua-problem.mjs';

/**
 * The rule: unless nil is among the declared replies, every way through the script ends in `return` or `error(...)`.
 *
 * @param {import('./parse-header.mjs').Header} header
 * @param {import('luaparse').Chunk} chunk
 * @returns {LuaProblem[]}
 */
export function checkReply({ reply }, chunk) {
  if (reply === undefined || reply.shape === 'nil' || alwaysReturns(chunk.body)) return [];
  if (typeof reply.shape === 'object' && 'nullable' in reply.shape) return [];
  const fix = 'end every branch in "return", or declare "<type> | nil"';
  return [new LuaProblem(reply.line, 'the script can end without the declared REPLY', fix)];
}

/**
 * @param {readonly import('luaparse').Statement[]} body
 * @returns {boolean}
 */
function alwaysReturns(body) {
  const last = body.at(-1);
  switch (last?.type) {
    case 'ReturnStatement':
      return last.arguments.length > 0;
    case 'DoStatement':
      return alwaysReturns(last.body);
    case 'IfStatement':
      return last.clauses.at(-1)?.type === 'ElseClause' && last.clauses.every((clause) => alwaysReturns(clause.body));
    case 'CallStatement':
      return last.expression.base.type === 'Identifier' && last.expression.base.name === 'error';
    default:
      return false;
  }
}

// @ts-check
import { createHash } from 'node:crypto';
import { checkBindings } from './check-bindings.mjs';
import { checkCalls } from './check-calls.mjs';
import { checkHeader } from './check-header.mjs';
import { checkReply } from './check-reply.mjs';
import { checkTails } from './check-tails.mjs';
import { parseBody } from './parse-body.mjs';
import { parseHeader } from './parse-header.mjs';

/**
 * A script that has passed every check.
 * @typedef {object} LuaScript
 * @property {string} feature
 * @property {string} verb
 * @property {string} source the file, with \n line ends
 * @property {string} sha1 as the server computes it
 * @property {import('./parse-header.mjs').Header} header
 */

/**
 * Reads one script and checks its header against its body.
 *
 * @param {{ feature: string, verb: string, text: string }} file
 * @returns {{ script: LuaScript, problems: import('./lua-problem.mjs').LuaProblem[] }} problems in the order of lines
 */
export function readScript({ feature, verb, text }) {
  // A template literal holds \n alone, so the digest has to be taken of the same.
  const source = text.replace(/\r\n?/g, '\n');
  const { header, problems } = parseHeader(source);
  if (problems.length === 0) problems.push(...checkHeader(header));
  const body = parseBody(source);
  if ('problem' in body) problems.push(body.problem);
  // What the body is held against has to be readable first.
  else if (problems.length === 0) {
    for (const check of [checkBindings, checkTails, checkCalls, checkReply])
      problems.push(...check(header, body.chunk));
  }
  const sha1 = createHash('sha1').update(source, 'utf8').digest('hex');
  return {
    script: { feature, verb, source, sha1, header },
    problems: problems.sort((left, right) => left.line - right.line),
  };
}

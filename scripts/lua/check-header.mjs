// @ts-check
import { isTakenByLua } from './lua-names.mjs';
import { LuaProblem } from './lua-problem.mjs';

/** @typedef {import('./parse-header.mjs').Parameter} Parameter */

const TYPES = {
  KEYS: ['string', 'hash', 'list', 'set', 'zset', 'stream', 'any'],
  ARGV: ['string', 'bytes', 'integer'],
};

/**
 * The rule: a header is complete, and every key and argument has a name that Lua can use, a known type and a description.
 *
 * @param {import('./parse-header.mjs').Header} header
 * @returns {LuaProblem[]}
 */
export function checkHeader({ summary, keys, args, reply }) {
  const problems = [...keys, ...args].flatMap((parameter, place, all) => [
    ...checkName(parameter, all.slice(0, place)),
    ...checkType(parameter),
    ...checkDescription(parameter),
  ]);
  for (const parameters of [keys, args]) problems.push(...checkTailIsLast(parameters));
  if (summary === '') {
    problems.push(new LuaProblem(1, 'the header has no summary', 'say in a sentence what the script does'));
  }
  if (reply === undefined) {
    problems.push(new LuaProblem(1, 'the header has no REPLY', 'add "REPLY <type>  <description>", or "REPLY nil"'));
  } else if (reply.description === '' && reply.shape !== 'nil') {
    problems.push(new LuaProblem(reply.line, 'REPLY has no description', 'say what the reply means'));
  }
  return problems;
}

/**
 * @param {Parameter} parameter
 * @param {readonly Parameter[]} earlier
 */
function checkName({ name, variadic, line }, earlier) {
  if (!/^[a-z][A-Za-z0-9]*$/.test(name)) {
    return [new LuaProblem(line, `"${name}" is not a name`, 'write a camelCase word, with ... after it for a tail')];
  }
  // A tail is never bound, so its name is free of Lua's.
  if (!variadic && isTakenByLua(name)) {
    return [new LuaProblem(line, `"${name}" means something in Lua already`, 'choose another name')];
  }
  return earlier.some((other) => other.name === name)
    ? [new LuaProblem(line, `"${name}" is declared twice`, 'give each key and argument a name of its own')]
    : [];
}

/** @param {Parameter} parameter */
function checkType({ table, types, variadic, tuple, line }) {
  const known = TYPES[table];
  const problems = types
    .filter((type) => !known.includes(type))
    .map((type) => new LuaProblem(line, `"${type}" is not a type of ${table}`, `use one of ${known.join(', ')}`));
  if (tuple && (table === 'KEYS' || !variadic)) {
    problems.push(new LuaProblem(line, 'only a tail of ARGV can be made of tuples', 'write ARGV and "name..."'));
  }
  return problems;
}

/** @param {Parameter} parameter */
function checkDescription({ table, name, description, line }) {
  return description === '' ? [new LuaProblem(line, `${table} ${name} has no description`, 'say what it is')] : [];
}

/** @param {readonly Parameter[]} parameters */
function checkTailIsLast(parameters) {
  return parameters
    .slice(0, -1)
    .filter(({ variadic }) => variadic)
    .map(({ table, name, line }) => new LuaProblem(line, `the tail ${table} ${name}... is not last`, 'move it down'));
}

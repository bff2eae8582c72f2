// @ts-check

const KEYWORDS = new Set(
  'and break do else elseif end false for function goto if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
);

/** The tables of functions that a script may use, always as `table.name`. */
export const LIBRARIES = new Set(['redis', 'string', 'table', 'math', 'bit', 'cjson', 'cmsgpack', 'struct']);

/** The functions that a script may call by their bare name. */
export const FUNCTIONS = new Set('tonumber type pairs ipairs next unpack select error assert pcall xpcall'.split(' '));

/** Globals that exist, or once did, and what to do instead. */
export const FORBIDDEN = new Map([
  ['os', 'take the time from redis.call("TIME")'],
  ['io', 'pass what the script needs in ARGV'],
  ['tostring', 'write string.format("%.0f", n): tostring drops digits beyond the 14th'],
  ['_G', 'name what you need'],
  ['print', 'use redis.log while you look for a fault, and remove it'],
  ['loadstring', 'write the code out'],
  ['load', 'write the code out'],
]);

/** Members of a library that a script must not use, and what to do instead. */
export const FORBIDDEN_MEMBERS = new Map([
  ['math.random', 'pass randomness in ARGV: the server seeds every script alike'],
  ['math.randomseed', 'pass randomness in ARGV: the server seeds every script alike'],
  ['redis.replicate_commands', 'remove it: effects are replicated since Redis 5'],
  ['redis.setresp', 'remove it: the declared reply is read as RESP2'],
]);

/** Commands that a script must not send, and what to do instead. */
export const FORBIDDEN_COMMANDS = new Map([
  ['KEYS', 'it walks the whole keyspace and blocks the server; scan from the client with SCAN'],
  ['SCAN', 'its keys are undeclared; scan from the client'],
  ['RANDOMKEY', 'its key is undeclared; pass the key in KEYS'],
  ['FLUSHALL', 'unlink the keys that are yours'],
  ['FLUSHDB', 'unlink the keys that are yours'],
  ['SELECT', 'a Cluster has one database; give the connection its database'],
]);

/**
 * @param {string} name
 * @returns {boolean} whether a key or an argument of this name would hide a word that Lua or Redis has given a meaning
 */
export function isTakenByLua(name) {
  return KEYWORDS.has(name) || LIBRARIES.has(name) || FUNCTIONS.has(name) || FORBIDDEN.has(name);
}

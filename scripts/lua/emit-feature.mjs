// @ts-check

/**
 * @typedef {import('./read-script.mjs').LuaScript} LuaScript
 * @typedef {import('./parse-header.mjs').Parameter} Parameter
 * @typedef {import('./parse-type.mjs').ReplyShape} ReplyShape
 */

/** How every generated file begins; nothing without it is ever overwritten or removed. */
export const BANNER = '// Generated from the Lua files named below; do not edit. `npm run generate` writes it anew.\n';

/** @type {Readonly<Record<string, string>>} */
const TYPES = { string: 'string', bytes: 'string | Buffer', integer: 'number' };
/** @type {Readonly<Record<string, string>>} */
const REPLIES = { integer: 'number', string: 'string', bytes: 'Buffer', nil: 'null' };

/**
 * The TypeScript of one feature: a typed command for each script.
 *
 * @param {readonly LuaScript[]} scripts
 * @param {string} runtime where `defineScript` is imported from
 * @returns {string}
 */
export function emitFeature(scripts, runtime) {
  return [
    `${BANNER}import { defineScript } from ${quote(runtime)};\n`,
    ...scripts.map((script) => `${emitComment(script)}\n${emitDefinition(script)}\n`),
  ].join('\n');
}

/**
 * @param {LuaScript} script
 * @returns {string} the name of its command: `cache/fill` is `cacheFill`
 */
function commandName({ feature, verb }) {
  return `${feature}-${verb}`.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

/** @param {LuaScript} script */
function emitComment({ feature, verb, header: { summary, keys, args, reply } }) {
  const lines = [
    ...summary.split('\n'),
    '',
    `Source: lua/${feature}/${verb}.lua`,
    '',
    ...keys.map((key) => `- key ${describe(key)}`),
    ...args.map((argument) => `- argument ${describe(argument)}`),
    `- reply ${reply?.shape === undefined || reply.shape === 'nil' ? 'null' : `(${replyType(reply.shape)}): ${reply.description}`}`,
  ];
  const text = lines.map((line) => (line === '' ? ' *' : ` * ${line.replaceAll('*/', '*\\/')}`));
  return ['/**', ...text, ' */'].join('\n');
}

/** @param {Parameter} parameter */
function describe({ name, types, variadic, tuple, description }) {
  const type = tuple ? `(${types.join(', ')})` : types.join();
  return `\`${name}${variadic ? '...' : ''}\` (${type}): ${description}`;
}

/** @param {LuaScript} script */
function emitDefinition(script) {
  const { feature, verb, sha1, source, header } = script;
  const keys = header.keys.map((key) => ({ ...key, types: ['string'] }));
  return [
    `export const ${commandName(script)} = defineScript<`,
    `  ${objectType(keys)},`,
    `  ${objectType(header.args)},`,
    `  ${replyType(header.reply?.shape ?? 'nil')}`,
    '>({',
    `  name: ${quote(`${feature}/${verb}`)},`,
    `  sha1: ${quote(sha1)},`,
    `  keys: ${emitParameters(keys)},`,
    `  args: ${emitParameters(header.args)},`,
    `  reply: ${replyShape(header.reply?.shape ?? 'nil')},`,
    `  source: ${template(source)},`,
    '});',
  ].join('\n');
}

/** @param {readonly Parameter[]} parameters */
function objectType(parameters) {
  if (parameters.length === 0) return 'Readonly<Record<string, never>>';
  return `{ ${parameters.map((parameter) => `readonly ${parameter.name}: ${valueType(parameter)}`).join('; ')} }`;
}

/** @param {Parameter} parameter */
function valueType({ types, variadic, tuple }) {
  const members = types.map((type) => TYPES[type] ?? 'never');
  if (tuple) return arrayOf(`readonly [${members.join(', ')}]`);
  const [member = 'never'] = members;
  return variadic ? arrayOf(member) : member;
}

/** @param {readonly Parameter[]} parameters */
function emitParameters(parameters) {
  if (parameters.length === 0) return '[]';
  return ['[', ...parameters.map((parameter) => `    ${emitParameter(parameter)},`), '  ]'].join('\n');
}

/** @param {Parameter} parameter */
function emitParameter({ name, types, variadic, tuple }) {
  const kind = tuple ? "'tuples'" : variadic ? "'list'" : "'one'";
  return `{ name: ${quote(name)}, kind: ${kind}, types: [${types.map(quote).join(', ')}] }`;
}

/**
 * @param {ReplyShape} shape
 * @returns {string} the TypeScript type of a reply
 */
function replyType(shape) {
  if (typeof shape === 'string') return REPLIES[shape] ?? 'never';
  if ('array' in shape) return arrayOf(replyType(shape.array));
  if ('tuple' in shape) return `readonly [${shape.tuple.map(replyType).join(', ')}]`;
  if ('either' in shape) return shape.either.map(replyType).join(' | ');
  return `${replyType(shape.nullable)} | null`;
}

/**
 * @param {ReplyShape} shape
 * @returns {string} the literal that the decoder is built from
 */
function replyShape(shape) {
  if (typeof shape === 'string') return quote(shape);
  if ('array' in shape) return `{ array: ${replyShape(shape.array)} }`;
  if ('tuple' in shape) return `{ tuple: [${shape.tuple.map(replyShape).join(', ')}] }`;
  if ('either' in shape) return `{ either: [${shape.either.map(replyShape).join(', ')}] }`;
  return `{ nullable: ${replyShape(shape.nullable)} }`;
}

/** @param {string} type */
function arrayOf(type) {
  return `readonly ${/^\w+$/.test(type) ? type : `(${type})`}[]`;
}

/** @param {string} text */
function quote(text) {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** @param {string} text */
function template(text) {
  return `\`${text.replace(/[\\`]|\$(?=\{)/g, '\\$&')}\``;
}

// @ts-check

/**
 * What a script replies, as the generated command carries it; the mirror of `ReplyShape` in src/core/scripts.
 * @typedef {'integer' | 'string' | 'bytes' | 'nil'} ReplyScalar
 * @typedef {ReplyScalar | { array: ReplyShape } | { tuple: ReplyShape[] } | { nullable: ReplyShape } | { either: [ReplyScalar, ReplyShape] }} ReplyShape
 */

/** @type {readonly string[]} */
const SCALARS = ['integer', 'string', 'bytes', 'nil'];

/**
 * Reads the type at the start of `text` and leaves the rest, which is a description.
 *
 *     type    := postfix ('|' 'nil')? | scalar '|' list
 *     postfix := primary ('[]')*
 *     primary := scalar | '[' type (',' type)* ']' | '(' type ')'
 *
 * @param {string} text
 * @returns {{ shape: ReplyShape, rest: string }}
 * @throws {SyntaxError} with what was expected
 */
export function parseReplyType(text) {
  const tokens = new TypeTokens(text);
  const shape = readUnion(tokens);
  return { shape, rest: tokens.rest() };
}

/**
 * @param {TypeTokens} tokens
 * @returns {ReplyShape}
 */
function readUnion(tokens) {
  const shape = readPostfix(tokens);
  if (!tokens.take('|')) return shape;
  if (tokens.take('nil')) {
    if (shape === 'nil') throw new SyntaxError('"nil | nil" says nil twice');
    return { nullable: shape };
  }
  const list = readPostfix(tokens);
  if (typeof shape !== 'string' || shape === 'nil' || !isList(list)) {
    throw new SyntaxError(
      'a type can be joined by "|" with nil, and a scalar with a list: no others can be told apart',
    );
  }
  return { either: [shape, list] };
}

/** @param {ReplyShape} shape */
function isList(shape) {
  return typeof shape === 'object' && ('array' in shape || 'tuple' in shape);
}

/**
 * @param {TypeTokens} tokens
 * @returns {ReplyShape}
 */
function readPostfix(tokens) {
  let shape = readPrimary(tokens);
  while (tokens.take('[]')) shape = { array: shape };
  return shape;
}

/**
 * @param {TypeTokens} tokens
 * @returns {ReplyShape}
 */
function readPrimary(tokens) {
  if (tokens.take('(')) {
    const shape = readUnion(tokens);
    if (!tokens.take(')')) throw new SyntaxError('expected ")"');
    return shape;
  }
  if (tokens.take('[')) {
    const tuple = [readUnion(tokens)];
    while (tokens.take(',')) tuple.push(readUnion(tokens));
    if (!tokens.take(']')) {
      throw new SyntaxError('expected "]" (two of them in a row end a --[[ comment: open the header with --[=[)');
    }
    return { tuple };
  }
  const word = tokens.takeWord();
  if (!SCALARS.includes(word)) {
    throw new SyntaxError(`"${word}" is not a reply type (integer, string, bytes, nil, T[], [T, U], T | nil)`);
  }
  return /** @type {ReplyScalar} */ (word);
}

/** The text of a type, taken piece by piece; blanks between pieces do not count. */
class TypeTokens {
  #rest;

  /** @param {string} text */
  constructor(text) {
    this.#rest = text.trimStart();
  }

  /** @param {string} piece */
  take(piece) {
    if (!this.#rest.startsWith(piece)) return false;
    this.#advance(piece.length);
    return true;
  }

  takeWord() {
    const word = /^[A-Za-z]*/.exec(this.#rest)?.[0] ?? '';
    this.#advance(word.length);
    return word;
  }

  rest() {
    return this.#rest.trim();
  }

  /** @param {number} length */
  #advance(length) {
    this.#rest = this.#rest.slice(length).trimStart();
  }
}

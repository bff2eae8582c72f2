import { createHash } from 'node:crypto';
import { ConfigurationError } from '../errors/configuration.error.js';
import { encodeKey } from './key-encoding.js';
import { toKeyParts, type KeyPart, type KeyParts } from './key-part.js';
import { encodeString } from './key-string.js';

/** A longer part, in bytes of UTF-8, is replaced by its hash. */
const LONGEST_PART_BYTES = 200;

/** A UTF-16 code unit takes at most three bytes of UTF-8: up to this length there is nothing to measure. */
const SURELY_SHORT = Math.floor(LONGEST_PART_BYTES / 3);

/** In an encoding, `%` is followed by a digit, `A` to `F` or `u`: no unhashed part can look like a hashed one. */
const HASHED = '%#';

const PREFIX = /^[\w.@/+-]+(?::[\w.@/+-]+)*$/;
const FEATURE = /^[a-z][a-z0-9-]*$/;
const NAME = /./s;

/**
 * Builds the keys of one feature: `<prefix>:<feature>:{<entity>}:<part>`.
 *
 * - Different entities and parts give different keys: see {@link encodeKey}. No value can add a `:`, a brace or a glob
 *   character of its own.
 * - All keys of one entity share a hash tag, and so a Cluster slot: a script may touch them together. Two entities never share
 *   a tag.
 * - A part of more than 200 bytes becomes `%#` and its SHA-256 in base64url, 43 characters. A key is at most 245 bytes an
 *   entity or part, besides the prefix.
 *
 * Two applications on one server need prefixes of which neither is the other's beginning up to a colon.
 */
export class KeySpace {
  /** What every key of this space begins with, `:` included: a PREFIX for `CLIENT TRACKING ... BCAST`. No glob characters. */
  readonly prefix: string;

  readonly #path: readonly [prefix: string, feature: string, ...names: string[]];

  /**
   * @param prefix the application's own: letters, digits and `_ - . @ / +`, in one or more segments joined by `:`
   * @param feature lower-case letters, digits and `-`
   * @param names the named things that the space lies in, outermost first, as {@link scope} adds them
   * @throws {ConfigurationError} when one of them is empty, or holds anything else; names are escaped and may hold anything
   */
  constructor(prefix: string, feature: string, ...names: readonly string[]) {
    if (!matches(PREFIX, prefix))
      throw refuse('key prefix', prefix, 'letters, digits and _ - . @ / +, with : between them');
    if (!matches(FEATURE, feature)) throw refuse('feature name', feature, 'lower-case letters, digits and -');
    for (const name of names) if (!matches(NAME, name)) throw refuse('name', name, 'at least one character');
    this.#path = [prefix, feature, ...names];
    this.prefix = [prefix, feature, ...names.map((name) => shorten(encodeString(name))), ''].join(':');
  }

  /**
   * A space inside this one for a named thing, such as one cache among several: `<prefix>:<feature>:<name>:{<entity>}`.
   * This space's {@link pattern} covers the new one's keys.
   *
   * @throws {ConfigurationError} when the name is empty
   */
  scope(name: string): KeySpace {
    return new KeySpace(...this.#path, name);
  }

  /**
   * The key of an entity, or of one part of it: `key('u1')`, `key(['order', 7], 'items')`.
   *
   * @throws {KeyEncodingError} for a value that cannot be part of a key
   */
  key(entity: KeyParts, ...parts: readonly KeyPart[]): string {
    let key = `${this.prefix}{${shorten(encodeKey(toKeyParts(entity)))}}`;
    for (const part of parts) key += `:${shorten(encodeKey([part]))}`;
    return key;
  }

  /** A pattern for SCAN that matches every key of this space, and of the spaces inside it, and no other. */
  pattern(): string {
    return `${this.prefix}*`;
  }
}

function shorten(encoded: string): string {
  if (encoded.length <= SURELY_SHORT || Buffer.byteLength(encoded) <= LONGEST_PART_BYTES) return encoded;
  return HASHED + createHash('sha256').update(encoded).digest('base64url');
}

function matches(pattern: RegExp, value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function refuse(option: string, value: unknown, allowed: string): ConfigurationError {
  const given = typeof value === 'string' ? `'${value.slice(0, 40)}'` : `of type ${typeof value}`;
  return new ConfigurationError(`The ${option} ${given} cannot be used in keys: it has to hold ${allowed}.`);
}

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeKey } from './key-encoding.js';
import type { KeyPart } from './key-part.js';

/** Reads a key back. That it can is the proof that no two lists of parts share a text. */
function decodeKey(text: string): unknown[] {
  let at = 0;
  const take = (token: string): boolean => text.startsWith(token, at) && ((at += token.length), true);
  const expectToken = (token: string): void => {
    if (!take(token)) throw new Error(`no ${token} at ${at} of ${text}`);
  };
  const word = (): string => {
    const end = text.slice(at).search(/[,()=]/);
    const found = end < 0 ? text.slice(at) : text.slice(at, at + end);
    at += found.length;
    return found;
  };
  const list = <T>(item: () => T): T[] => {
    const items: T[] = [];
    if (take(')')) return items;
    do items.push(item());
    while (take(','));
    expectToken(')');
    return items;
  };
  const bytes = (): Buffer => {
    const found = Buffer.from(word(), 'base64url');
    expectToken(')');
    return found;
  };
  const entry = <K>(key: () => K): [K, unknown] => {
    const name = key();
    expectToken('=');
    return [name, part()];
  };
  const isObject = (): boolean => /^\([^,()]*=/.test(text.slice(at));

  function part(): unknown {
    if (take('(=)')) return {};
    if (isObject()) return (at++, Object.fromEntries(list(() => entry(() => unescape(word())))));
    if (take('(')) return list(part);
    if (take('~map(')) return new Map(list(() => entry(part)));
    if (take('~set(')) return new Set(list(part));
    if (take('~date(')) return new Date(list(part)[0] as number);
    if (take('~Buffer(')) return bytes();
    if (take('~Uint8Array(')) return Uint8Array.from(bytes());
    const scalar = word();
    if (scalar.startsWith("'")) return unescape(scalar.slice(1));
    if (Object.hasOwn(KEYWORDS, scalar)) return KEYWORDS[scalar];
    if (/^-?\d+n$/.test(scalar)) return BigInt(scalar.slice(0, -1));
    return /^[-\d]/.test(scalar) ? Number(scalar) : unescape(scalar);
  }

  const parts: unknown[] = [];
  if (text === '~') return parts;
  do parts.push(part());
  while (take(','));
  if (at !== text.length) throw new Error(`stopped at ${at} of ${text}`);
  return parts;
}

const KEYWORDS: Readonly<Record<string, unknown>> = {
  '~true': true,
  '~false': false,
  '~null': null,
  '~undefined': undefined,
  '~NaN': NaN,
  '~Infinity': Infinity,
  '~-Infinity': -Infinity,
};

function unescape(text: string): string {
  return text
    .split(/(%u[0-9A-F]{4})/)
    .map((piece) =>
      piece.startsWith('%u') ? String.fromCharCode(parseInt(piece.slice(2), 16)) : decodeURIComponent(piece),
    )
    .join('');
}

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.string({ unit: fc.constantFrom(..."a1'~%(),=:{}*?[]\\-@#u\uD800\uDC00 ".split('')) }),
  fc.constantFrom(...Object.keys(KEYWORDS), '1n', '42', '(=)'),
);
const scalar = fc.oneof(
  text,
  fc.double().map((value) => (value === 0 ? 0 : value)),
  fc.integer(),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 8 }),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
);
const { part } = fc.letrec<{ part: KeyPart }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('part'), { maxLength: 4 }),
    fc.dictionary(text, tie('part'), { maxKeys: 4 }),
    fc.array(fc.tuple(scalar, tie('part')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('part'), { maxLength: 4 }).map((items) => new Set(items)),
  ),
}));
const parts = fc.array(part, { maxLength: 4 });

describe('encodeKey, for any list of parts', () => {
  it('can be read back: different lists never share a text', () => {
    fc.assert(
      fc.property(parts, (list) => {
        expect(decodeKey(encodeKey(list))).toEqual(list);
        expect(encodeKey(decodeKey(encodeKey(list)) as KeyPart[])).toBe(encodeKey(list));
      }),
      { numRuns: 3_000 },
    );
  });

  it('gives two strings one text only when they are one string', () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        expect(encodeKey([left]) === encodeKey([right])).toBe(left === right);
        expect(Buffer.from(encodeKey([left])).equals(Buffer.from(encodeKey([right])))).toBe(left === right);
      }),
      { numRuns: 3_000 },
    );
  });

  it('holds no separator, brace, glob character, space or control character', () => {
    fc.assert(
      fc.property(parts, (list) => {
        // eslint-disable-next-line no-control-regex -- control characters are what it looks for
        expect(encodeKey(list)).not.toMatch(/[:{}*?[\]\\\s\u0000-\u001F\u007F-\u009F]|%#/);
        expect(encodeKey(list)).not.toBe('');
      }),
      { numRuns: 3_000 },
    );
  });

  it('does not depend on the order in which properties, entries and members were added', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(text, part), { selector: ([name]) => name, maxLength: 6 }), (entries) => {
        const reversed = entries.toReversed();
        expect(encodeKey([Object.fromEntries(entries)])).toBe(encodeKey([Object.fromEntries(reversed)]));
        expect(encodeKey([new Map(entries)])).toBe(encodeKey([new Map(reversed)]));
        expect(encodeKey([new Set(entries)])).toBe(encodeKey([new Set(reversed)]));
      }),
    );
  });
});

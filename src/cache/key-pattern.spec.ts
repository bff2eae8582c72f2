import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeKey } from '../core/keys/key-encoding.js';
import type { KeyPart } from '../core/keys/key-part.js';
import { ANY, encodeKeyPattern, startingWith, type KeyPattern } from './key-pattern.js';

/** Redis's own rule: `*` any characters, `?` one, `[...]` one of these, `\` the next one as it is. */
function globMatches(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  const [first, rest] = [pattern.charAt(0), pattern.slice(1)];
  if (first === '*') return globMatches(rest, text) || (text !== '' && globMatches(pattern, text.slice(1)));
  if (text === '') return false;
  if (first === '?') return globMatches(rest, text.slice(1));
  if (first === '\\') return rest.charAt(0) === text.charAt(0) && globMatches(rest.slice(1), text.slice(1));
  if (first === '[') {
    const end = rest.indexOf(']');
    if (rest.slice(0, end).includes(text.charAt(0))) return globMatches(rest.slice(end + 1), text.slice(1));
    return false;
  }
  return first === text.charAt(0) && globMatches(rest, text.slice(1));
}

const hostile = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."a1*?[]\\^-{},:'~%()= é\u{1F600}".match(/./gsu)!), maxLength: 5 }),
  fc.constantFrom('*', '[a-z]', '\\*', 'a*', '?', ',', 'a,b', '', '~true', '42'),
);
const part: fc.Arbitrary<KeyPart> = fc.oneof(
  { weight: 4, arbitrary: hostile },
  { weight: 1, arbitrary: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.boolean(), fc.constant(null)) },
  { weight: 1, arbitrary: fc.record({ a: hostile }) },
);
const parts = fc.array(part, { minLength: 1, maxLength: 3 });

const matches = (pattern: KeyPattern, key: readonly KeyPart[]): boolean =>
  globMatches(encodeKeyPattern(pattern), encodeKey(key));

describe('a key pattern', () => {
  it('of values matches exactly their key', () => {
    fc.assert(
      fc.property(parts, parts, (pattern, key) => {
        expect(matches(pattern, pattern)).toBe(true);
        expect(matches(pattern, key)).toBe(encodeKey(pattern) === encodeKey(key));
      }),
      { numRuns: 3_000 },
    );
  });

  it('holds no wildcard but those that were asked for, whatever the values hold', () => {
    const wild = fc.oneof(fc.constant(ANY), hostile.map(startingWith), part);
    fc.assert(
      fc.property(fc.array(wild, { minLength: 1, maxLength: 4 }), (pattern) => {
        const asked = pattern.filter(
          (one) => one === ANY || (one as object)?.constructor === startingWith('').constructor,
        );
        const encoded = encodeKeyPattern(pattern);
        expect(encoded.match(/\*/g) ?? []).toHaveLength(asked.length);
        expect(encoded).not.toMatch(/[?[\]\\{}:]/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes ANY for any part, and for any number of further parts', () => {
    fc.assert(
      fc.property(hostile, part, parts, (first, other, rest) => {
        expect(matches([first, ANY], [first, other])).toBe(true);
        expect(matches([first, ANY], [first, ...rest])).toBe(true);
        expect(matches([ANY, other], [first, other])).toBe(true);
        expect(matches([first, ANY], [first])).toBe(false);
      }),
    );
  });

  it('does not match a key whose other parts differ', () => {
    fc.assert(
      fc.property(hostile, hostile, part, (first, second, other) => {
        fc.pre(first !== second);
        expect(matches([first, ANY], [second, other])).toBe(false);
      }),
    );
  });

  it('finds every text that begins as asked, and no other text', () => {
    fc.assert(
      fc.property(hostile, hostile, (beginning, text) => {
        expect(matches([startingWith(beginning)], [beginning + text])).toBe(true);
        expect(matches([startingWith(beginning)], [text])).toBe(text.startsWith(beginning));
      }),
      { numRuns: 3_000 },
    );
  });

  it('finds no number by a beginning that is text', () => {
    expect(matches([startingWith('4')], ['42'])).toBe(true);
    expect(matches([startingWith('4')], [42])).toBe(false);
    expect(matches([startingWith('t')], [true])).toBe(false);
  });
});

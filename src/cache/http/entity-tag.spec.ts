import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { entityTag, matchesEntityTag } from './entity-tag.js';

/** What may stand between the quotes of a tag: RFC 9110, section 8.8.3. */
const opaque = fc.stringMatching(/^[\x21\x23-\x7e\x80-\xff]{0,12}$/);
const tag = fc.tuple(fc.boolean(), opaque).map(([weak, text]) => `${weak ? 'W/' : ''}"${text}"`);
const comma = fc.constantFrom(',', ', ', ' ,', '\t, ');

describe('matchesEntityTag', () => {
  it('finds a tag in a list exactly when one of its members is equal by weak comparison', () => {
    fc.assert(
      fc.property(fc.array(tag, { minLength: 1, maxLength: 6 }), comma, tag, (list, separator, wanted) => {
        const strong = (text: string): string => text.replace(/^W\//, '');
        expect(matchesEntityTag(list.join(separator), wanted)).toBe(
          list.some((item) => strong(item) === strong(wanted)),
        );
      }),
    );
  });

  it('finds each member of a list, weak or strong', () => {
    fc.assert(
      fc.property(fc.array(tag, { minLength: 1, maxLength: 6 }), comma, fc.nat(), (list, separator, pick) => {
        const member = list[pick % list.length]!;
        expect(matchesEntityTag(list.join(separator), member)).toBe(true);
        expect(matchesEntityTag(list.join(separator), member.startsWith('W/') ? member.slice(2) : `W/${member}`)).toBe(
          true,
        );
      }),
    );
  });

  it('is not misled by commas and quotes inside tags', () => {
    expect(matchesEntityTag('"a,b"', '"a"')).toBe(false);
    expect(matchesEntityTag('"a,b"', '"b"')).toBe(false);
    expect(matchesEntityTag('"a", "b,c"', '"b,c"')).toBe(true);
  });

  it.each([
    ['*', true],
    [' * ', true],
    ['"y", *', false],
    ['"y",, ,"x"', true],
    ['', false],
    ['x', false],
    ['"y" "x"', false],
    ['"y"; "x"', false],
    ['w/"x"', false],
  ])('reads %j', (header, expected) => {
    expect(matchesEntityTag(header, '"x"')).toBe(expected);
  });

  it('compares what a handler made without quotes', () => {
    expect(matchesEntityTag('"v7"', 'v7')).toBe(true);
    expect(matchesEntityTag('v7', 'v7')).toBe(true);
  });

  it('never throws, and takes time in proportion to its input', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (header) => {
        matchesEntityTag(header, '"x"');
      }),
    );
    const before = performance.now();
    matchesEntityTag(`${'"a" '.repeat(4_000)}${'\t'.repeat(16_000)}${'W/"'.repeat(5_000)}`, '"x"');
    matchesEntityTag('"a",'.repeat(4_000), '"x"');
    expect(performance.now() - before).toBeLessThan(500);
  });
});

describe('entityTag', () => {
  it('is the same for the same content, and another for another body or type', () => {
    const json = 'application/json';
    expect(entityTag(json, '{}', false)).toBe(entityTag(json, '{}', false));
    expect(entityTag(json, '{}', false)).not.toBe(entityTag(json, '[]', false));
    expect(entityTag(json, '{}', false)).not.toBe(entityTag('text/plain', '{}', false));
  });

  it('has the form of a tag, weak where asked', () => {
    expect(entityTag(null, 'x', false)).toMatch(/^"[\w-]{27}"$/);
    expect(entityTag(null, 'x', true)).toMatch(/^W\/"[\w-]{27}"$/);
  });
});

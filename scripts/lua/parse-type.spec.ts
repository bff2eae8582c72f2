import { describe, expect, it } from '@jest/globals';
import { parseReplyType } from './parse-type.mjs';

describe('the type of a reply', () => {
  it.each([
    ['integer 1 = stored', 'integer', '1 = stored'],
    ['nil', 'nil', ''],
    ['string | nil the owner', { nullable: 'string' }, 'the owner'],
    ['string[] names', { array: 'string' }, 'names'],
    ['(bytes | nil)[] values', { array: { nullable: 'bytes' } }, 'values'],
    ['[integer, string[] ] | nil x', { nullable: { tuple: ['integer', { array: 'string' }] } }, 'x'],
    ['[bytes, integer][] pairs', { array: { tuple: ['bytes', 'integer'] } }, 'pairs'],
    ['integer | [integer, string] x', { either: ['integer', { tuple: ['integer', 'string'] }] }, 'x'],
    ['string | integer[] x', { either: ['string', { array: 'integer' }] }, 'x'],
    ['integer[][] rows', { array: { array: 'integer' } }, 'rows'],
  ])('reads "%s"', (text, shape, rest) => {
    expect(parseReplyType(text)).toEqual({ shape, rest });
  });

  it.each([
    ['number x', '"number" is not a reply type'],
    ['string | integer', 'joined by "|" with nil, and a scalar with a list'],
    ['integer[] | string[]', 'joined by "|" with nil, and a scalar with a list'],
    ['nil | string[]', 'joined by "|" with nil, and a scalar with a list'],
    ['nil | nil', 'says nil twice'],
    ['[integer, string', 'expected "]"'],
    ['(string | nil', 'expected ")"'],
    ['', '"" is not a reply type'],
  ])('refuses "%s"', (text, message) => {
    expect(() => parseReplyType(text)).toThrow(message);
  });
});

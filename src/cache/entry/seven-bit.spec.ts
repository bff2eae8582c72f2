import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readSevenBit, writeSevenBit } from './seven-bit.js';

/** A length, and a number that fits into it. */
const fitting = fc
  .integer({ min: 1, max: 7 })
  .chain((length) => fc.tuple(fc.constant(length), fc.integer({ min: 0, max: 128 ** length - 1 })));

const bytesOf = (value: number, length: number): Buffer => Buffer.from(writeSevenBit(value, length));

describe('seven-bit numbers', () => {
  it('come back as they were, from any place', () => {
    fc.assert(
      fc.property(fitting, fc.nat(5), ([length, value], at) => {
        const bytes = Buffer.concat([Buffer.alloc(at, 0x55), bytesOf(value, length), Buffer.alloc(3, 0x55)]);
        expect(readSevenBit(bytes, at, length)).toBe(value);
      }),
    );
  });

  it('take that many bytes, all of them below 128, so that they may stand in text', () => {
    fc.assert(
      fc.property(fitting, ([length, value]) => {
        const bytes = bytesOf(value, length);
        expect(bytes).toHaveLength(length);
        expect(bytes.every((byte) => byte < 128)).toBe(true);
      }),
    );
  });

  it.each([
    ['a fraction', 7.9, 7],
    ['less than nothing', -1, 0],
    ['more than fits', 128 ** 2, 128 ** 2 - 1],
    ['no end', Infinity, 128 ** 2 - 1],
  ])('hold the nearest whole number for %s', (_name, value, kept) => {
    expect(readSevenBit(bytesOf(value, 2), 0, 2)).toBe(kept);
  });

  it('hold every moment until 2109 in six bytes', () => {
    const lastMs = Date.UTC(2109, 0, 1);
    expect(readSevenBit(bytesOf(lastMs, 6), 0, 6)).toBe(lastMs);
  });

  it('are read from bytes that end too early as if zeros followed', () => {
    expect(readSevenBit(Buffer.from([1]), 0, 2)).toBe(128);
    expect(readSevenBit(Buffer.alloc(0), 4, 6)).toBe(0);
  });
});

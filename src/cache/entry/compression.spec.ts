import { randomBytes } from 'node:crypto';
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DecodeError } from '../../core/codec/codec.errors.js';
import { compress, decompress } from './compression.js';

const MEBIBYTE = 1024 * 1024;

describe('compression', () => {
  it('gives back what was packed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), fc.integer({ min: 20, max: 200 }), (text, times) => {
        const payload = `${text} `.repeat(times);
        const packed = compress(payload);
        expect(packed === null ? payload : decompress(packed).toString()).toBe(Buffer.from(payload).toString());
      }),
    );
  });

  it('makes text that repeats itself much smaller', () => {
    const payload = JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, name: 'product', price: 100 })));
    expect(compress(payload)?.length).toBeLessThan(payload.length / 4);
  });

  it.each([
    ['random bytes', randomBytes(5_000)],
    ['a short text', 'ab'],
    ['nothing', ''],
  ])('does not pack %s, since that gains nothing', (_name, payload) => {
    expect(compress(payload)).toBeNull();
  });

  it('answers bytes that were cut short with a DecodeError', () => {
    const packed = compress('0123456789'.repeat(100)) as Buffer;
    for (let length = 0; length < packed.length; length++) {
      expect(() => decompress(packed.subarray(0, length))).toThrow(DecodeError);
    }
  });

  it('throws nothing but a DecodeError, which shows nothing of the bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decompress(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          expect((error as DecodeError).cause).toBeUndefined();
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses a few bytes that would unpack to more than 512 MiB', () => {
    const block = deflateRawSync(Buffer.alloc(16 * MEBIBYTE), { finishFlush: constants.Z_FULL_FLUSH });
    const bomb = Buffer.concat([...Array.from({ length: 40 }, () => block), deflateRawSync('')]);
    expect(bomb.length).toBeLessThan(MEBIBYTE);
    expect(() => decompress(bomb)).toThrow(DecodeError);
  });
});

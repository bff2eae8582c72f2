import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DecodeError, EncodeError } from '../../../src/core/codec/codec.errors.js';
import type { Codec } from '../../../src/core/codec/codec.js';
import { portrait } from './portrait.js';

const BUDGET_MS = 2_000;
const SECRET = 'hunter2';

/** What JSON keeps, and so every codec has to: JSON values, without -0. */
const jsonValue = fc
  .jsonValue({ maxDepth: 5, stringUnit: 'binary' })
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown);

/** The rules that every codec keeps, Rookery's own and a user's alike. */
export function describeCodecContract(codec: Codec): void {
  const toBytes = (value: unknown): Buffer => Buffer.from(codec.encode(value) as string);
  const roundTrip = (value: unknown): unknown => codec.decode(toBytes(value));

  /** Decodes hostile bytes: a value or a DecodeError is right, anything else is not. */
  function attack(bytes: Buffer): void {
    const started = performance.now();
    try {
      codec.decode(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
      expect((error as Error).cause).toBeUndefined();
    }
    expect(performance.now() - started).toBeLessThan(BUDGET_MS);
  }

  describe(`the codec contract, for ${codec.name}`, () => {
    it('has an id of one byte and a name', () => {
      expect(Number.isInteger(codec.id) && codec.id >= 1 && codec.id <= 127).toBe(true);
      expect(codec.name).toMatch(/^[a-z][a-z0-9-]*$/);
    });

    it('gives back every JSON value as it was', () => {
      fc.assert(
        fc.property(jsonValue, (value) => {
          expect(portrait(roundTrip(value))).toEqual(portrait(value));
        }),
        { numRuns: 1_000 },
      );
    });

    it('keeps null, false, zero and empty values apart', () => {
      for (const value of [null, false, 0, '', [], {}, 'null', '0'])
        expect(portrait(roundTrip(value))).toEqual(portrait(value));
    });

    it('writes the same bytes for the same value', () => {
      fc.assert(
        fc.property(jsonValue, (value) => {
          expect(toBytes(value).equals(toBytes(value))).toBe(true);
        }),
      );
    });

    it('changes neither the value nor the bytes that it is given', () => {
      fc.assert(
        fc.property(jsonValue, (value) => {
          const before = portrait(value);
          const bytes = toBytes(value);
          const copy = Buffer.from(bytes);
          codec.decode(bytes);
          expect(portrait(value)).toEqual(before);
          expect(bytes.equals(copy)).toBe(true);
        }),
      );
    });

    it('keeps a value when the bytes that it came from are overwritten, as network buffers are', () => {
      const value = { text: 'a'.repeat(100), list: [1, 2, 3] };
      const bytes = toBytes(value);
      const chunk = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]);
      const decoded = codec.decode(chunk.subarray(6, 6 + bytes.length));
      chunk.fill(0);
      expect(decoded).toEqual(value);
    });

    it('lets no property reach a prototype', () => {
      const value = JSON.parse(
        '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
      ) as object;
      const decoded = roundTrip(value) as object;
      expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
      expect(portrait(decoded)).toEqual(portrait(value));
      expect('polluted' in {}).toBe(false);
    });

    it.each<[string, () => unknown]>([
      ['a function', () => () => SECRET],
      ['a symbol', () => Symbol(SECRET)],
      ['a cycle', cycle],
      ['nesting without end', () => nest(200_000)],
    ])('refuses %s with an EncodeError that does not show it', (_, make) => {
      const error = thrownBy(() => codec.encode(make()));
      expect(error).toBeInstanceOf(EncodeError);
      expect((error as EncodeError).code).toBe('ROOKERY_ENCODE');
      expect(JSON.stringify([(error as Error).message, (error as EncodeError).context])).not.toContain(SECRET);
    });

    it('answers what it did not write with a DecodeError that does not show it', () => {
      for (const text of ['', ' ', SECRET, `{"a":"${SECRET}"`, `["${SECRET}",]`, `\uFEFF"${SECRET}"`]) {
        const error = thrownBy(() => codec.decode(Buffer.from(text)));
        expect(error).toBeInstanceOf(DecodeError);
        expect((error as DecodeError).code).toBe('ROOKERY_DECODE');
        expect(JSON.stringify([(error as Error).message, (error as DecodeError).context])).not.toContain(SECRET);
        expect((error as Error).cause).toBeUndefined();
      }
    });

    it('notices a payload that was cut short', () => {
      fc.assert(
        fc.property(jsonValue, fc.nat(), (value, cut) => {
          const bytes = toBytes([value]);
          expect(() => codec.decode(bytes.subarray(0, cut % bytes.length))).toThrow(DecodeError);
        }),
      );
    });

    it('survives any bytes', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => attack(Buffer.from(bytes))),
        { numRuns: 5_000 },
      );
    });

    it('survives its own bytes with some of them changed', () => {
      const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(jsonValue, changes, (value, edits) => {
          const bytes = toBytes([value, 'padding']);
          for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
          attack(bytes);
        }),
        { numRuns: 3_000 },
      );
    });

    it('survives nesting without end, in time', () => {
      for (const [open, close] of [
        ['[', ']'],
        ['{"a":', '}'],
      ] as const) {
        attack(Buffer.from(open.repeat(200_000)));
        attack(Buffer.from(`${open.repeat(200_000)}1${close.repeat(200_000)}`));
      }
    });
  });
}

function cycle(): unknown {
  const list: unknown[] = [SECRET];
  list.push({ list });
  return list;
}

function nest(levels: number): unknown {
  let value: unknown = SECRET;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

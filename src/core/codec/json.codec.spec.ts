import { describe, expect, it } from '@jest/globals';
import { describeCodecContract } from '../../../test/conformance/codecs/codec.contract.js';
import { DecodeError, EncodeError } from './codec.errors.js';
import { jsonCodec } from './json.codec.js';

const roundTrip = (value: unknown): unknown => jsonCodec.decode(Buffer.from(jsonCodec.encode(value) as string));

describeCodecContract(jsonCodec);

describe('jsonCodec', () => {
  it('writes plain JSON', () => {
    expect(jsonCodec.encode({ id: 1, tags: ['a'] })).toBe('{"id":1,"tags":["a"]}');
  });

  it('loses, as documented, what JSON has no form for', () => {
    class Point {
      x = 1;
    }
    const cases: [unknown, unknown][] = [
      [new Date(0), '1970-01-01T00:00:00.000Z'],
      [new Map([[1, 2]]), {}],
      [new Set([1]), {}],
      [Buffer.from([1]), { type: 'Buffer', data: [1] }],
      [new Point(), { x: 1 }],
      [
        [NaN, Infinity, -0],
        [null, null, 0],
      ],
      [{ gone: undefined, call: () => 1, symbol: Symbol('s') }, {}],
      [
        [undefined, () => 1, Symbol('s')],
        [null, null, null],
      ],
    ];
    for (const [value, loss] of cases) expect(roundTrip(value)).toStrictEqual(loss);
  });

  it('refuses undefined and bigints', () => {
    for (const value of [undefined, 1n, { big: [1n] }]) expect(() => jsonCodec.encode(value)).toThrow(EncodeError);
  });

  it('hands on what a toJSON() threw, as the cause', () => {
    const failure = new RangeError('no rate for today');
    const value = {
      toJSON() {
        throw failure;
      },
    };
    expect(() => jsonCodec.encode(value)).toThrow(expect.objectContaining({ cause: failure }));
  });

  it('does not read damaged UTF-8 as something else', () => {
    const damaged = Buffer.concat([Buffer.from('"caf'), Buffer.from([0xe9]), Buffer.from('"')]);
    expect(JSON.parse(damaged.toString())).toBe('caf\uFFFD');
    expect(() => jsonCodec.decode(damaged)).toThrow(DecodeError);
  });
});

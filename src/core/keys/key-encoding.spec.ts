import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RookeryError } from '../errors/rookery-error.js';
import { KeyEncodingError } from './key-encoding.error.js';
import { encodeKey } from './key-encoding.js';
import { toKeyParts, type KeyPart } from './key-part.js';

class Money {
  constructor(private readonly amount: number) {}
  toJSON() {
    return { amount: this.amount };
  }
}

class Secret {
  readonly shown = 'same';
  readonly #hidden: string;
  constructor(hidden: string) {
    this.#hidden = hidden;
  }
  reveal() {
    return this.#hidden;
  }
}

const HALF_A = '\uD800';
const HALF_B = '\uD801';

describe('encodeKey', () => {
  const table: [readonly KeyPart[], string][] = [
    [['apple'], 'apple'],
    [['a b'], 'a%20b'],
    [['a:{*}?[]\\%,()=~'], 'a%3A%7B%2A%7D%3F%5B%5D%5C%25%2C%28%29%3D%7E'],
    [['me@example.org/x-1.y_z+1'], 'me@example.org/x-1.y_z+1'],
    [['état'], 'état'],
    [['a\u2028b'], 'a%E2%80%A8b'],
    [[HALF_A], `'%uD800`],
    [['42'], `'42`],
    [['-x'], `'-x`],
    [[''], `'`],
    [['~null'], `'%7Enull`],
    [[42], '42'],
    [[-1.5], '-1.5'],
    [[1e21], '1e+21'],
    [[-0], '0'],
    [[1n], '1n'],
    [[-(2n ** 70n)], '-1180591620717411303424n'],
    [[NaN], '~NaN'],
    [[Infinity], '~Infinity'],
    [[-Infinity], '~-Infinity'],
    [[true, false], '~true,~false'],
    [[null, undefined], '~null,~undefined'],
    [[], '~'],
    [[[]], '()'],
    [[{}], '(=)'],
    [[{ '': 1 }], '(=1)'],
    [['a', ['b', ['c']]], 'a,(b,(c))'],
    // eslint-disable-next-line no-sparse-arrays -- the hole is the case
    [[[1, , 2]], '(1,~hole,2)'],
    [[{ b: 2, a: 1, '10': 0, 'x=y': null }], '(10=0,a=1,b=2,x%3Dy=~null)'],
    [[{ a: undefined }], '(a=~undefined)'],
    [[new Map<unknown, unknown>([['b', 1], [{ x: 1 }, 2]])], '~map((x=1)=2,b=1)'], // prettier-ignore
    [[new Set([2, '1', 1])], `~set('1,1,2)`],
    [[new Map(), new Set()], '~map(),~set()'],
    [[new Date(1704067200000)], '~date(1704067200000)'],
    [[new Date(NaN)], '~date(~NaN)'],
    [[Buffer.from([1, 2, 3])], '~Buffer(AQID)'],
    [[Uint8Array.of(1, 2, 3)], '~Uint8Array(AQID)'],
    [[Uint8Array.of(0, 1, 2, 3).subarray(1)], '~Uint8Array(AQID)'],
    [[Uint8Array.of(1, 2, 3).buffer], '~ArrayBuffer(AQID)'],
    [[Uint16Array.of(0)], '~Uint16Array(AAA)'],
    [[new DataView(new ArrayBuffer(1))], '~DataView(AA)'],
    [[new URL('https://a.example/?q=1')], '@URL(https%3A//a.example/%3Fq%3D1)'],
    [[new Money(5)], '@Money((amount=5))'],
  ];

  it.each(table.map(([parts, text]) => [text, parts] as const))('writes %s', (text, parts) => {
    expect(encodeKey(parts)).toBe(text);
  });

  it('gives every one of these its own text', () => {
    const texts = table.map(([parts]) => encodeKey(parts));
    const twice = [[Uint8Array.of(1, 2, 3)], [Uint8Array.of(0, 1, 2, 3).subarray(1)]].map((parts) => encodeKey(parts));
    expect(new Set(twice).size).toBe(1);
    expect(new Set(texts).size).toBe(texts.length - 1);
  });

  it('does not take one nesting for another', () => {
    const lists: KeyPart[][] = [
      [['a'], 'b'],
      ['a', ['b']],
      [['a', 'b']],
      ['a', 'b'],
      ['a,b'],
      [[['a'], 'b']],
      ['(a)', 'b'],
    ];
    expect(new Set(lists.map((parts) => encodeKey(parts))).size).toBe(lists.length);
  });

  it('tells halves of surrogate pairs apart, which UTF-8 does not', () => {
    expect(Buffer.from(HALF_A)).toEqual(Buffer.from(HALF_B));
    expect(Buffer.from(encodeKey([HALF_A]))).not.toEqual(Buffer.from(encodeKey([HALF_B])));
    expect(encodeKey([`x${HALF_A}`])).not.toBe(encodeKey(['x%uD800']));
    expect(encodeKey(['\u{1F600}'])).toBe('\u{1F600}');
  });

  it('takes equal contents for equal, whatever their order, prototype or realm', () => {
    const bare = Object.assign(Object.create(null) as object, { a: 1, b: 2 });
    const foreign = runInNewContext(`({ b: 2, a: 1 })`) as object;
    for (const same of [{ b: 2, a: 1 }, bare, foreign]) expect(encodeKey([same])).toBe('(a=1,b=2)');
    expect(encodeKey([runInNewContext('[new Date(0), new Map([[1, [2]]]), new Set([1])]') as object])).toBe(
      '(~date(0),~map(1=(2)),~set(1))',
    );
    expect(encodeKey([new Set([1, 2])])).toBe(encodeKey([new Set([2, 1])]));
  });

  it('writes the same text for a lone part and for the same part in company', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.integer()), (part) => {
        expect(encodeKey([part, 1])).toBe(`${encodeKey([part])},1`);
      }),
    );
  });

  describe('refuses', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = { again: cycle };
    let deep: unknown = 1;
    for (let level = 0; level < 65; level++) deep = [deep];

    it.each<[string, unknown, RegExp]>([
      ['a function', () => 1, /^Part 1 .* a function\. Give a key function/],
      ['a symbol', Symbol('s'), /a symbol/],
      ['an instance without toJSON', new Secret('x'), /instance of Secret.*toJSON/],
      ['an instance of a nameless class', new (class { toJSON() { return 1; } })(), /class without a name/], // prettier-ignore
      ['a promise', Promise.resolve(1), /a promise\. Await it/],
      ['a WeakMap', new WeakMap(), /instance of WeakMap/],
      ['a regular expression', /x/, /instance of RegExp/],
      ['an error', new Error('x'), /instance of Error/],
      ['a boxed string', Object('x'), /instance of String/],
      ['a generator', (function* () {})(), /cannot be part/], // prettier-ignore
      ['a cycle', cycle, /^Part 1\.self\.again .* contains itself/],
      ['deep nesting', deep, /more than 64 levels/],
      ['symbol keys', { [Symbol('s')]: 1 }, /symbol keys/],
      ['hidden properties', Object.defineProperty({}, 'x', { value: 1 }), /hidden properties/],
      ['a list with properties', Object.assign([1], { x: 1 }), /properties of its own/],
      ['a map with properties', Object.assign(new Map(), { x: 1 }), /properties of its own/],
      ['a date with properties', Object.assign(new Date(0), { x: 1 }), /properties of its own/],
      ['a subclass of Date', new (class Day extends Date {})(0), /instance of Day/],
      ['a subclass of Map', new (class Dictionary extends Map {})(), /instance of Dictionary/],
      ['a subclass of Array', new (class Row extends Array {})(), /instance of Row/],
      ['a subclass of Uint8Array', new (class Digest extends Uint8Array {})(1), /instance of Digest/],
      ['a map without a prototype', Object.setPrototypeOf(new Map([[1, 1]]), null), /class without a name/],
      ['an object with another prototype', Object.create({ inherited: 1 }), /instance of Object/],
    ])('%s', (_, value, message) => {
      const encode = () => encodeKey([value as KeyPart]);
      expect(encode).toThrow(KeyEncodingError);
      expect(encode).toThrow(RookeryError);
      expect(encode).toThrow(message);
    });

    it('with the place, and never with the value', () => {
      const value = { filter: { since: [1, new Secret('hunter2')], 'me@example.org': () => 'hunter2' } };
      expect(() => encodeKey(['x', value])).toThrow('Part 2.filter.<property>');
      expect(() => encodeKey(['x', { filter: { since: value.filter.since } }])).toThrow('Part 2.filter.since[1]');
      expect(() => encodeKey([new Map([[1, Symbol('hunter2')]])])).toThrow('Part 1[0]');
      try {
        encodeKey(['x', value]);
      } catch (error) {
        expect(JSON.stringify([error, (error as Error).message])).not.toMatch(/hunter2|example/);
        expect((error as KeyEncodingError).code).toBe('ROOKERY_KEY_ENCODING');
      }
    });

    it('a value that occurs twice only when it contains itself', () => {
      const shared = { a: 1 };
      expect(encodeKey([shared, [shared, shared]])).toBe('(a=1),((a=1),(a=1))');
    });
  });
});

describe('toKeyParts', () => {
  it('takes a part for a list of one', () => {
    expect(toKeyParts('a')).toEqual(['a']);
    expect(toKeyParts(['a', 1])).toEqual(['a', 1]);
    expect(toKeyParts([['a']])).toEqual([['a']]);
    expect(toKeyParts(undefined)).toEqual([undefined]);
  });
});

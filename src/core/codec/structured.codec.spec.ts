import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { describeCodecContract } from '../../../test/conformance/codecs/codec.contract.js';
import { portrait } from '../../../test/conformance/codecs/portrait.js';
import { DecodeError, EncodeError } from './codec.errors.js';
import { structuredCodec } from './structured.codec.js';

const encode = (value: unknown): string => structuredCodec.encode(value) as string;
const decode = (text: string): unknown => structuredCodec.decode(Buffer.from(text));
const roundTrip = (value: unknown): unknown => decode(encode(value));

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('$', 'v', '__proto__', 'constructor', 'toJSON', '\uD800', '#'),
);
const leaf = fc.oneof(
  text,
  fc.double(),
  fc.integer(),
  fc.constantFrom(-0, 0, NaN, Infinity, -Infinity, null, undefined, true, false),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array({ maxLength: 20 }),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
);
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'medium', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(text, tie('value'), { maxKeys: 5 }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((members) => new Set(members)),
  ),
}));

describeCodecContract(structuredCodec);

describe('structuredCodec', () => {
  it('gives back any value exactly as it was', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(portrait(roundTrip(value))).toEqual(portrait(value));
      }),
      { numRuns: 700 },
    );
  });

  it('does not touch the value that it encodes', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const before = portrait(value);
        encode(value);
        expect(portrait(value)).toEqual(before);
      }),
    );
  });

  it.each<[string, unknown]>([
    ['an invalid date', new Date(NaN)],
    ['the first and the last date', [new Date(-8.64e15), new Date(8.64e15)]],
    ['a map with keys of any kind, in their order', new Map<unknown, unknown>([['1', 1], [1, 2], [{ a: 1 }, new Set([[]])], [NaN, -0]])], // prettier-ignore
    ['bigints of any size', [0n, -1n, 2n ** 64n, -(10n ** 5_000n)]],
    ['a Buffer and a Uint8Array', [Buffer.from('bytes'), Uint8Array.of(1, 2), Buffer.alloc(0), new Uint8Array()]],
    ['a view of part of a larger buffer', Uint8Array.of(9, 1, 2, 9).subarray(1, 3)],
    ['odd numbers', [-0, NaN, Infinity, -Infinity, { zero: -0 }]],
    ['undefined, and absence', { a: undefined, b: [undefined] }],
    ['undefined by itself', undefined],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['an object that looks like a tag', { $: 'Date', v: 0, when: new Date(0) }],
    ['an object that looks like a tag and nothing else', { $: 'Object', v: { $: 'undefined' } }],
    ['a property named __proto__ beside a date', JSON.parse('{"__proto__":{"$":1},"x":1}')],
    ['half a surrogate pair', ['\uD800', '\uDFFF', '\u{1F600}']],
    ['text that starts like a tagged payload', '#{}'],
  ])('keeps %s', (_, value) => {
    expect(portrait(roundTrip(value))).toEqual(portrait(value));
  });

  it('keeps a __proto__ property even where it has to rewrite it', () => {
    const value = JSON.parse('{"__proto__":{"polluted":1},"b":1}') as Record<string, unknown>;
    Object.defineProperty(value, '__proto__', {
      value: { at: new Date(0) },
      enumerable: true,
      writable: true,
      configurable: true,
    });
    const decoded = roundTrip(value) as object;
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect(portrait(decoded)).toEqual(portrait(value));
  });

  it('takes values from another realm for what they are', () => {
    const foreign = runInNewContext('({ at: new Date(0), tags: new Set([1]), list: [new Map()] })') as unknown;
    expect(portrait(roundTrip(foreign))).toEqual(portrait({ at: new Date(0), tags: new Set([1]), list: [new Map()] }));
  });

  it('gives two equal objects for one that occurs twice', () => {
    const shared = { at: new Date(0) };
    expect(roundTrip([shared, shared])).toStrictEqual([shared, shared]);
  });

  it('nests 500 levels deep and no further', () => {
    const nest = (levels: number): unknown => (levels === 0 ? new Date(0) : new Map([[levels, nest(levels - 1)]]));
    expect(portrait(roundTrip(nest(499)))).toEqual(portrait(nest(499)));
    expect(() => encode(nest(500))).toThrow(/nests more than 500 levels/);
  });

  describe('refuses rather than changes', () => {
    class Money {
      constructor(readonly amount: number) {}
    }
    it.each<[string, unknown, RegExp]>([
      ['an instance', new Money(1), /^The value is an instance of Money, and would lose its class/],
      [
        'an instance inside',
        { items: [{ price: new Money(1) }] },
        /^The value at \.items\[0\]\.price is an instance of Money/,
      ],
      ['an instance as a key', new Map([[new Money(1), 1]]), /at \[0\] is an instance/],
      ['an instance with toJSON', new URL('https://a.example'), /instance of URL/],
      ['a nameless class', new (class {})(), /class without a name/],
      ['an error', new Error('x'), /instance of Error/],
      ['a regular expression', /x/, /instance of RegExp/],
      ['a promise', { later: Promise.resolve() }, /instance of Promise/],
      ['a boxed string', Object('x'), /instance of String/],
      ['other binary types', [new Float64Array(1)], /instance of Float64Array/],
      ['an ArrayBuffer', [new ArrayBuffer(1)], /instance of ArrayBuffer/],
      ['a subclass of Date', new (class Day extends Date {})(0), /instance of Day/],
      ['a subclass of Map', new (class Dictionary extends Map {})(), /instance of Dictionary/],
      ['a subclass of Set', new (class Group extends Set {})(), /instance of Group/],
      ['a subclass of Array', new (class Row extends Array {})(), /instance of Row/],
      ['a subclass of Uint8Array', new (class Digest extends Uint8Array {})(), /instance of Digest/],
      ['a map without a prototype', Object.setPrototypeOf(new Map(), null), /class without a name/],
      ['a function inside', { call: () => 1 }, /at \.call is a function/],
      ['a symbol inside', [Symbol('s')], /at \[0\] is a symbol/],
      ['symbol keys', { [Symbol('s')]: 1 }, /symbol keys/],
      ['a getter', { get now() { return 1; } }, /getter or a setter/], // prettier-ignore
      ['a list with holes', Object.assign([], { length: 1e9 }), /list with holes/],
      ['a list with properties', 'x'.match(/x/), /list with properties/],
      ['a map with properties', Object.assign(new Map(), { x: 1 }), /Map with properties/],
    ])('%s', (_, value, message) => {
      expect(() => encode(value)).toThrow(EncodeError);
      expect(() => encode(value)).toThrow(message);
    });

    it('and hides names that may be data', () => {
      expect(() => encode({ 'me@example.org': new Money(1) })).toThrow(/at \.<property> is/);
    });
  });

  describe('format, which payloads written long ago depend on', () => {
    const formats: [unknown, string][] = [
      [{ id: 1, tags: ['a', null] }, '{"id":1,"tags":["a",null]}'],
      [new Date(5), '#{"$":"Date","v":5}'],
      [new Date(NaN), '#{"$":"Date","v":null}'],
      [new Map([['a', 1]]), '#{"$":"Map","v":["a",1]}'],
      [new Set([1]), '#{"$":"Set","v":[1]}'],
      [-255n, '#{"$":"bigint","v":"-ff"}'],
      [Buffer.from([255]), '#{"$":"Buffer","v":"/w=="}'],
      [Uint8Array.of(255), '#{"$":"Uint8Array","v":"/w=="}'],
      [[NaN, -0], '#[{"$":"number","v":"NaN"},{"$":"number","v":"-0"}]'],
      [undefined, '#{"$":"undefined"}'],
      [{ $: 1 }, '#{"$":"Object","v":{"$":1}}'],
      [Object.create(null), '#{"$":"null","v":{}}'],
    ];

    it.each(formats)('%#: reads and writes the same as ever', (value, payload) => {
      expect(encode(value)).toBe(payload);
      expect(portrait(decode(payload))).toEqual(portrait(value));
    });
  });

  describe('hostile payloads', () => {
    it.each([
      '#',
      '#{"$":"Nonsense","v":1}',
      '#{"$":1}',
      '#{"$":{}}',
      '#{"$":"__proto__"}',
      '#{"$":"Date"}',
      '#{"$":"Date","v":"5"}',
      '#{"$":"Map","v":[1]}',
      '#{"$":"Map","v":{}}',
      '#{"$":"Set","v":{"length":1e9}}',
      '#{"$":"bigint","v":"0x1"}',
      '#{"$":"bigint","v":""}',
      '#{"$":"bigint","v":1}',
      '#{"$":"Buffer","v":1000000000}',
      '#{"$":"Buffer","v":"a"}',
      '#{"$":"Buffer","v":"//!="}',
      '#{"$":"Uint8Array","v":[1]}',
      '#{"$":"number","v":"12"}',
      '#{"$":"Object","v":[]}',
      '#{"$":"null","v":null}',
      '##{}',
    ])('%s is a DecodeError', (payload) => {
      expect(() => decode(payload)).toThrow(DecodeError);
    });

    it('with tags of any shape are a value or a DecodeError, and reach no prototype', () => {
      const tags = [
        'Date',
        'Map',
        'Set',
        'bigint',
        'Buffer',
        'Uint8Array',
        'number',
        'undefined',
        'Object',
        'null',
        '?',
      ];
      const { node } = fc.letrec((tie) => ({
        node: fc.oneof(
          { maxDepth: 6, withCrossShrink: true },
          fc.jsonValue({ maxDepth: 1 }),
          fc.array(tie('node'), { maxLength: 4 }),
          fc.record({ $: fc.constantFrom(...tags), v: tie('node') }, { requiredKeys: ['$'] }),
          fc.dictionary(fc.constantFrom('$', 'v', '__proto__', 'a'), tie('node')),
        ),
      }));
      fc.assert(
        fc.property(node, (json) => {
          try {
            decode(`#${JSON.stringify(json)}`);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
          expect(Object.keys(Object.prototype)).toEqual([]);
        }),
        { numRuns: 1_500 },
      );
    });

    it('without end are refused before the stack is', () => {
      const open = ['#' + '['.repeat(100_000) + ']'.repeat(100_000)];
      for (const tag of ['Map', 'Set', 'Object', 'null']) {
        const [before, after] = tag === 'Map' ? ['[1,', ']'] : tag === 'Set' ? ['[', ']'] : ['{"a":', '}'];
        open.push(`#${`{"$":"${tag}","v":${before}`.repeat(50_000)}1${`${after}}`.repeat(50_000)}`);
      }
      for (const payload of open) expect(() => decode(payload)).toThrow(DecodeError);
    });

    it('with a million digits are read in good time', () => {
      const started = performance.now();
      expect(typeof decode(`#{"$":"bigint","v":"${'f'.repeat(1_000_000)}"}`)).toBe('bigint');
      expect(performance.now() - started).toBeLessThan(1_000);
    });
  });
});

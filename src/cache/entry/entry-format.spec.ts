import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Codec } from '../../core/codec/codec.js';
import { DecodeError, EncodeError } from '../../core/codec/codec.errors.js';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { jsonCodec } from '../../core/codec/json.codec.js';
import { structuredCodec } from '../../core/codec/structured.codec.js';
import { EntryIds, ID_LENGTH } from './entry-id.js';
import {
  HEAD_LENGTH,
  StoredValue,
  checkTagsFit,
  decodePayload,
  encodePayload,
  readHeld,
  writeFailure,
  writeLease,
  writeValue,
  type EntryFacts,
} from './entry-format.js';

/** A codec of a user's own, whose payloads may be any bytes. */
const bytesCodec: Codec = {
  id: 127,
  name: 'bytes',
  encode: (value) => Buffer.from(value as Uint8Array),
  decode: (bytes) => Buffer.from(bytes),
};

const ids = new EntryIds();
const momentMs = fc.integer({ min: 0, max: 128 ** 6 - 1 });
const tag = fc.record({
  tag: fc.stringMatching(/^(tag|segment)(:[\wé…@.'%-]+){0,3}$/),
  token: fc.stringMatching(/^[ci]\d{1,16}$/),
});
const facts: fc.Arbitrary<EntryFacts> = fc.record({
  freshUntilMs: momentMs,
  storedAtMs: momentMs,
  loadMs: fc.integer({ min: 0, max: 128 ** 3 - 1 }),
  tags: fc.array(tag, { maxLength: 5 }),
});
const compressAbove = fc.constantFrom(0, 20, Infinity);
const json = fc.jsonValue({ stringUnit: 'binary' }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const coded: fc.Arbitrary<readonly [Codec, unknown]> = fc.oneof(
  fc.tuple(fc.constantFrom(jsonCodec, structuredCodec), json),
  fc.tuple(
    fc.constant(bytesCodec),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  ),
);

const FACTS: EntryFacts = { freshUntilMs: 5_000, storedAtMs: 1_000, loadMs: 7, tags: [{ tag: 'tag:a', token: 'c1' }] };

function entryOf(codec: Codec, value: unknown, own: EntryFacts = FACTS, above = Infinity, id = ids.next()): Buffer {
  return Buffer.from(writeValue(codec, id, encodePayload(codec, value, above), own) as string);
}

function valueIn(codec: Codec, bytes: Buffer): StoredValue {
  const held = readHeld(codec, bytes);
  if (!(held instanceof StoredValue)) throw new Error(`It is a ${held.kind}.`);
  return held;
}

const factsOf = ({ freshUntilMs, storedAtMs, loadMs, tags }: EntryFacts): EntryFacts => ({
  freshUntilMs,
  storedAtMs,
  loadMs,
  tags,
});

describe('an entry', () => {
  it('gives back its value and all its facts, whatever codec made the payload', () => {
    fc.assert(
      fc.property(coded, facts, compressAbove, ([codec, value], own, above) => {
        const found = valueIn(codec, entryOf(codec, value, own, above));
        expect(found.decode(codec)).toEqual(value);
        expect(factsOf(found)).toEqual(own);
        expect(found.isProlonged).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives a load and a later hit the same value', () => {
    fc.assert(
      fc.property(coded, compressAbove, ([codec, value], above) => {
        const payload = encodePayload(codec, value, above);
        expect(decodePayload(codec, payload)).toEqual(entryDecoded(codec, value, above));
      }),
    );
  });

  const entryDecoded = (codec: Codec, value: unknown, above: number): unknown =>
    valueIn(codec, entryOf(codec, value, FACTS, above)).decode(codec);

  it('is known again by its head, which differs with every version', () => {
    const [first, second] = [entryOf(jsonCodec, 1), entryOf(jsonCodec, 1)];
    expect(valueIn(jsonCodec, first).head).toBe(first.toString('latin1', 0, HEAD_LENGTH));
    expect(valueIn(jsonCodec, first).head).not.toBe(valueIn(jsonCodec, second).head);
  });

  it('is text when its payload is, so that it travels as text', () => {
    fc.assert(
      fc.property(json, facts, (value, own) => {
        const written = writeValue(jsonCodec, ids.next(), encodePayload(jsonCodec, value, Infinity), own);
        expect(typeof written).toBe('string');
        expect(Buffer.from(written as string).toString()).toBe(written);
      }),
    );
  });

  it('compresses what is longer than asked, and only where that gains something', () => {
    const long = 'a'.repeat(1_000);
    const length = (value: string, above: number): number => entryOf(jsonCodec, value, FACTS, above).length;
    expect(length(long, 1_002)).toBeGreaterThan(1_000);
    expect(length(long, 1_001)).toBeLessThan(200);
    expect(length('ab', 0)).toBe(length('ab', Infinity));
    expect(encodePayload(jsonCodec, long, 0).isCompressed).toBe(true);
    expect(encodePayload(jsonCodec, 'ab', 0).isCompressed).toBe(false);
  });

  it('answers a damaged compressed payload with a DecodeError', () => {
    const bytes = entryOf(jsonCodec, 'a'.repeat(1_000), FACTS, 0);
    expect(() => valueIn(jsonCodec, bytes.subarray(0, -2)).decode(jsonCodec)).toThrow(DecodeError);
  });

  it('is not made of a value that the codec cannot keep', () => {
    expect(() => encodePayload(jsonCodec, 1n, 0)).toThrow(EncodeError);
  });
});

describe('the tags of an entry', () => {
  const tagsOf = (bytes: number): string[] =>
    Array.from({ length: bytes / 128 }, (_, i) => `${i}`.padStart(128 - 19, 'x'));

  it('may take as much as an entry can tell apart from its payload', () => {
    const names = tagsOf(16_256);
    expect(() => checkTagsFit(names)).not.toThrow();
    const tags = names.map((name) => ({ tag: name, token: 'i1234567890123456' }));
    const found = valueIn(jsonCodec, entryOf(jsonCodec, 'value', { ...FACTS, tags }));
    expect(found.tags).toEqual(tags);
    expect(found.decode(jsonCodec)).toBe('value');
  });

  it('are refused beyond that, counted in bytes', () => {
    expect(() => checkTagsFit(tagsOf(16_384))).toThrow(ConfigurationError);
    expect(() => checkTagsFit(['…'.repeat(5_400)])).not.toThrow();
    expect(() => checkTagsFit(['…'.repeat(5_500)])).toThrow('The 1 tags of an entry take 16519 bytes');
  });
});

describe('a stale entry that has to serve on', () => {
  it('changes its flags and its end of freshness, in place, and nothing else', () => {
    fc.assert(
      fc.property(coded, facts, compressAbove, momentMs, ([codec, value], own, above, untilMs) => {
        const before = entryOf(codec, value, own, above);
        const after = Buffer.from(before);
        after.write(valueIn(codec, before).prolongedUntil(untilMs), HEAD_LENGTH, 'latin1');
        const found = valueIn(codec, after);
        expect(factsOf(found)).toEqual({ ...own, freshUntilMs: untilMs });
        expect(found.decode(codec)).toEqual(value);
        expect(found.isProlonged).toBe(true);
        expect(found.head).toBe(valueIn(codec, before).head);
        expect(after).toHaveLength(before.length);
      }),
    );
  });

  it('can be prolonged again', () => {
    const bytes = entryOf(jsonCodec, 'old');
    for (const untilMs of [6_000, 9_000]) {
      bytes.write(valueIn(jsonCodec, bytes).prolongedUntil(untilMs), HEAD_LENGTH, 'latin1');
      expect(valueIn(jsonCodec, bytes)).toMatchObject({ isProlonged: true, freshUntilMs: untilMs });
    }
  });
});

describe('a detached entry', () => {
  it.each([true, false])('keeps its facts when the network buffer is used again; with its payload: %s', (isWhole) => {
    const bytes = entryOf(jsonCodec, { name: 'Lamp' });
    const buffer = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]);
    const own = valueIn(jsonCodec, buffer.subarray(6, 6 + bytes.length)).detached(isWhole);
    buffer.fill(0);
    expect(factsOf(own)).toEqual(FACTS);
    expect(own.head).toBe(bytes.toString('latin1', 0, HEAD_LENGTH));
    if (isWhole) expect(own.decode(jsonCodec)).toEqual({ name: 'Lamp' });
  });

  it('leaves its payload behind when that is not needed', () => {
    const found = valueIn(jsonCodec, entryOf(jsonCodec, 'a'.repeat(10_000)));
    expect(found.detached(false).bytes.length).toBeLessThan(100);
    expect(found.detached(true).bytes).toEqual(found.bytes);
  });
});

describe('readHeld', () => {
  const id = ids.next();

  it('tells a value, a lease and a failure apart', () => {
    expect(readHeld(jsonCodec, entryOf(jsonCodec, null)).kind).toBe('value');
    expect(readHeld(jsonCodec, Buffer.from(writeLease(id)))).toEqual({ kind: 'lease', id });
    expect(readHeld(jsonCodec, Buffer.from(writeFailure(id, 5_000)))).toEqual({ kind: 'failure', id, untilMs: 5_000 });
  });

  it('knows a lease again when somebody has marked that he waits for it', () => {
    const waited = `${writeLease(id).slice(0, -1)}1`;
    expect(readHeld(jsonCodec, Buffer.from(waited))).toEqual({ kind: 'lease', id });
  });

  it('finds what an earlier layout left, or another codec, unreadable, and says by what it can be known again', () => {
    const strangers = [
      Buffer.concat([Buffer.from([1, jsonCodec.id]), Buffer.from('{"name":"Lamp"}')]),
      Buffer.concat([Buffer.from([1, jsonCodec.id]), Buffer.from(JSON.stringify('a'.repeat(100)))]),
      entryOf(structuredCodec, { name: 'Lamp' }),
      Buffer.from('{"name":"Lamp of another library"}'),
      Buffer.from([0xff, 0xfe, 0xfd]),
      Buffer.alloc(0),
    ];
    for (const bytes of strangers) {
      expect(readHeld(jsonCodec, bytes)).toEqual({ kind: 'unreadable', head: bytes.subarray(0, HEAD_LENGTH) });
    }
  });

  it('keeps the head of what is unreadable when the network buffer is used again', () => {
    const bytes = Buffer.from('a stranger in the cache');
    const held = readHeld(jsonCodec, bytes);
    bytes.fill(0);
    expect(held).toEqual({ kind: 'unreadable', head: Buffer.from('a stranger i') });
  });

  it('throws for no bytes at all, and decoding what it found throws nothing but a DecodeError', () => {
    const any = fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes));
    const beginnings = fc.constantFrom([], [2], [2, jsonCodec.id], [3], [4]);
    fc.assert(
      fc.property(beginnings, any, (beginning, rest) => attack(Buffer.concat([Buffer.from(beginning), rest]))),
      { numRuns: 5_000 },
    );
  });

  it('survives its own bytes with some of them changed, or cut off', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(json, facts, edits, fc.nat(), (value, own, changes, length) => {
        const bytes = entryOf(jsonCodec, value, own);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        attack(bytes);
        attack(bytes.subarray(0, length % bytes.length));
      }),
      { numRuns: 3_000 },
    );
  });

  function attack(bytes: Buffer): void {
    const held = readHeld(jsonCodec, bytes);
    if (held.kind === 'lease' || held.kind === 'failure') expect(held.id).toHaveLength(ID_LENGTH);
    if (held.kind === 'unreadable') expect(held.head.length).toBeLessThanOrEqual(HEAD_LENGTH);
    if (held.kind !== 'value') return;
    try {
      held.decode(jsonCodec);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
    }
  }
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import { jsonCodec } from '../../core/codec/json.codec.js';
import { structuredCodec } from '../../core/codec/structured.codec.js';
import type { Codec } from '../../core/codec/codec.js';
import { DecodeError } from '../../core/codec/codec.errors.js';
import { FakeClock } from '../../testing/index.js';
import { EntryIds } from '../entry/entry-id.js';
import { StoredValue, encodePayload, writeValue } from '../entry/entry-format.js';
import type { KnownTag } from '../tags/known-tag.js';
import type { Coherence } from './coherence.js';
import { MemoryTier, type MemoryCopy, type MemoryLimits } from './memory-tier.js';

const ids = new EntryIds();
const LIMITS: MemoryLimits = { maxEntries: 100, maxBytes: 1024 * 1024, ttlMs: Infinity };

/** Whether changes are heard of, as a test has it. */
class Hearing implements Coherence {
  live = true;
  readonly epoch = 0;
  onEpoch(): () => void {
    return () => undefined;
  }
}

describe('MemoryTier', () => {
  let clock: FakeClock;
  let hearing: Hearing;
  let tier: MemoryTier;

  beforeEach(() => {
    clock = new FakeClock();
    hearing = new Hearing();
    tier = tierOf();
  });

  const tierOf = (limits: Partial<MemoryLimits> = {}, codec: Codec = jsonCodec): MemoryTier =>
    new MemoryTier({ ...LIMITS, ...limits }, hearing, codec, clock);

  function entryOf(value: unknown, freshMs = 60_000, codec: Codec = jsonCodec): StoredValue {
    const nowMs = clock.now();
    const facts = { freshUntilMs: nowMs + freshMs, storedAtMs: nowMs, loadMs: 5, tags: [] };
    return new StoredValue(
      Buffer.from(writeValue(codec, ids.next(), encodePayload(codec, value, Infinity), facts) as string),
    );
  }

  function keep(key: string, stored: StoredValue, tags: readonly KnownTag[] = [], into = tier): MemoryCopy {
    const read = into.expect(key);
    const copy = into.keep(read, stored, tags);
    into.drop(read);
    return copy;
  }

  /** How many of the keys it has copies of. */
  const held = (keys: readonly string[], of = tier): number => keys.filter((key) => of.peek(key) !== undefined).length;

  const tagged = (): KnownTag => ({ token: 'c1', order: 1, confirmed: 1, heldUntilMs: Infinity, isLive: true });

  describe('a hit', () => {
    it('hands the same frozen value to everybody', async () => {
      keep('a', entryOf({ list: [{ price: 5 }] }));
      const [first, second] = [await tier.find('a')?.hand(), await tier.find('a')?.hand()];
      expect(first).toBe(second);
      expect(() => ((first as { list: { price: number }[] }).list[0] as { price: number }).price++).toThrow(TypeError);
    });

    it('hands each caller a copy of its own where freezing does not protect', async () => {
      const exact = tierOf({}, structuredCodec);
      keep('a', entryOf({ at: new Date(0) }, 60_000, structuredCodec), [], exact);
      const first = (await exact.find('a')?.hand()) as { at: Date };
      first.at.setFullYear(1999);
      expect(await exact.find('a')?.hand()).toEqual({ at: new Date(0) });
    });

    it('keeps what the entry says of itself, and not the network buffer that it came in', () => {
      const network = Buffer.alloc(100_000);
      const { bytes } = entryOf('value');
      bytes.copy(network, 500);
      const copy = keep('a', new StoredValue(network.subarray(500, 500 + bytes.length)));
      network.fill(0);
      expect(copy.stored.loadMs).toBe(5);
      expect(copy.stored.bytes.buffer.byteLength).toBeLessThan(network.length);
    });
  });

  describe('a copy', () => {
    it('is not served when its entry is no longer fresh', async () => {
      keep('a', entryOf('value', 1_000));
      await clock.advance('999ms');
      expect(tier.find('a')).toBeDefined();
      await clock.advance('1ms');
      expect(tier.find('a')).toBeUndefined();
    });

    it('stays in memory no longer than that is allowed', async () => {
      const brief = tierOf({ ttlMs: 100 });
      keep('a', entryOf('value', 60_000), [], brief);
      await clock.advance('99ms');
      expect(brief.find('a')).toBeDefined();
      await clock.advance('1ms');
      expect(brief.find('a')).toBeUndefined();
    });

    it('is not served once one of its tags is not live, and again when that is found to be as it was', () => {
      const tags = [tagged(), tagged()];
      keep('a', entryOf('value'), tags);
      expect(tier.find('a')).toBeDefined();
      (tags[1] as KnownTag).isLive = false;
      expect(tier.find('a')).toBeUndefined();
      (tags[1] as KnownTag).isLive = true;
      expect(tier.find('a')).toBeDefined();
    });

    it('can be looked at when it is no longer served, for what it says of the entry', () => {
      const tag = tagged();
      const stored = entryOf('value');
      keep('a', stored, [tag]);
      tag.isLive = false;
      expect(tier.peek('a')?.stored.head).toBe(stored.head);
    });

    it('is neither served nor made while changes may go unheard', () => {
      keep('a', entryOf('value'));
      hearing.live = false;
      expect(tier.find('a')).toBeUndefined();
      keep('b', entryOf('value'));
      hearing.live = true;
      expect(tier.find('b')).toBeUndefined();
    });

    it('is not made of an entry that is stale, or dead by a tag', () => {
      keep('a', entryOf('value', 0));
      keep('b', entryOf('value'), [{ ...tagged(), isLive: false }]);
      expect(held(['a', 'b'])).toBe(0);
    });

    it('is not made of bytes that cannot be decoded', () => {
      const broken = new StoredValue(entryOf('value').bytes.subarray(0, -1));
      expect(() => keep('a', broken)).toThrow(DecodeError);
      expect(held(['a'])).toBe(0);
    });
  });

  describe('a change', () => {
    it('drops the copy', () => {
      keep('a', entryOf('old'));
      keep('b', entryOf('other'));
      tier.changed('a');
      expect(tier.find('a')).toBeUndefined();
      expect(tier.find('b')).toBeDefined();
    });

    it('that overtakes a read keeps what the read brings out of memory, and gives it to its own caller', async () => {
      const read = tier.expect('a');
      tier.changed('a');
      const copy = tier.keep(read, entryOf('old'), []);
      expect(tier.find('a')).toBeUndefined();
      expect(await copy.hand()).toBe('old');
    });

    it('does not stop a read that began after it', () => {
      const before = tier.expect('a');
      tier.changed('a');
      const after = tier.expect('a');
      tier.keep(after, entryOf('new'), []);
      tier.keep(before, entryOf('old'), []);
      expect(tier.find('a')?.value()).toBe('new');
      tier.drop(before);
      tier.drop(after);
    });

    it('of anything drops everything, and what is on its way', () => {
      keep('a', entryOf('old'));
      const read = tier.expect('b');
      tier.clear();
      tier.keep(read, entryOf('old'), []);
      expect(held(['a', 'b'])).toBe(0);
    });
  });

  describe('its bounds', () => {
    const keys = Array.from({ length: 100 }, (_, i) => `key-${i}`);

    it('drop what was not used for longest when there are too many entries', () => {
      const small = tierOf({ maxEntries: 2 });
      for (const key of ['a', 'b']) keep(key, entryOf(key), [], small);
      small.find('a');
      keep('c', entryOf('c'), [], small);
      expect(['a', 'b', 'c'].filter((key) => small.find(key) !== undefined)).toEqual(['a', 'c']);
    });

    it('hold for bytes too, whatever the number of entries', () => {
      const small = tierOf({ maxBytes: 50_000 });
      for (const key of keys) keep(key, entryOf('x'.repeat(1_000)), [], small);
      expect(held(keys, small)).toBeGreaterThan(20);
      expect(held(keys, small)).toBeLessThan(50);
    });

    it('count keys and bookkeeping, so that many tiny values stay within them', () => {
      const small = tierOf({ maxBytes: 30_000 });
      for (const key of keys) keep(key, entryOf(1), [], small);
      expect(held(keys, small)).toBeGreaterThan(50);
      const long = keys.map((key) => 'k'.repeat(2_000) + key);
      for (const key of long) keep(key, entryOf(1), [], small);
      expect(held(keys, small) + held(long, small)).toBeLessThan(15);
    });

    it('leave an entry out that is larger than all of them', async () => {
      const small = tierOf({ maxBytes: 1_000 });
      const copy = keep('a', entryOf('x'.repeat(2_000)), [], small);
      expect(held(['a'], small)).toBe(0);
      expect(await copy.hand()).toHaveLength(2_000);
    });
  });

  describe('handing out what was just loaded', () => {
    it('decodes once and freezes where that protects', () => {
      const hand = tier.handing(() => ({ a: [1] }));
      expect(hand()).toBe(hand());
      expect(Object.isFrozen(hand())).toBe(true);
    });

    it('decodes for each caller where it does not', () => {
      const hand = tier.handing(() => new Date(0));
      expect(hand()).not.toBe(hand());
      expect(hand()).toEqual(new Date(0));
    });
  });
});

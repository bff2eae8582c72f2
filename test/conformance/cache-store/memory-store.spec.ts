import { beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryStore } from '../../../src/cache/store/memory-store.js';
import { systemClock } from '../../../src/core/time/clock.js';
import { FakeClock } from '../../../src/testing/index.js';
import { describeEntryStore } from './entry-store.contract.js';

describeEntryStore('the memory store', async () => {
  const store = new MemoryStore(systemClock);
  return { store, other: store, prefix: 'local', close: async () => store.close() };
});

describe('the memory store', () => {
  const KEYS = { clock: '{tags}', tags: ['{tags}:a'] };
  let clock: FakeClock;
  let store: MemoryStore;
  let changes: string[];

  beforeEach(() => {
    clock = new FakeClock();
    store = new MemoryStore(clock);
    changes = [];
    store.onChange((key) => changes.push(key));
  });

  it('tells of every change, which is all that a memory tier above it can hear of', async () => {
    await store.put([{ entry: 'a', bytes: 'value', ttlMs: 1_000 }]);
    await store.claim('b', 'marker', 1_000);
    await store.settle('b', 'marker', 'value', 1_000);
    await store.evict(['a']);
    await store.invalidateTags(KEYS, 1_000);
    expect(changes).toEqual(['a', 'b', 'b', 'a', '{tags}', '{tags}:a']);
  });

  it('tells of none when it is only read, nor when a tag is read that will be kept for long enough', async () => {
    await store.put([{ entry: 'a', bytes: 'value', ttlMs: 1_000 }]);
    await store.readTags(KEYS, 1_000);
    await clock.advance('250ms');
    changes.splice(0);
    await store.readTags(KEYS, 1_000);
    await store.read('a');
    await store.claim('a', 'marker', 1_000);
    await store.peekTags(KEYS.tags);
    expect(changes).toEqual([]);
    await clock.advance('1ms');
    await store.readTags(KEYS, 1_000);
    expect(changes).toEqual(KEYS.tags);
  });

  it('keeps the clock of tags for as long as their tokens, or nobody could tell when they were issued', async () => {
    const token = await store.invalidateTags(KEYS, 1_000);
    await store.readTags(KEYS, 10_000);
    await clock.advance('9s');
    expect(await store.peekTags([KEYS.clock, ...KEYS.tags])).toEqual([token.slice(1), token]);
  });

  it('keeps an entry to the millisecond', async () => {
    await store.put([{ entry: 'a', bytes: 'value', ttlMs: 1_000 }]);
    await clock.advance('999ms');
    expect(await store.read('a')).toEqual(Buffer.from('value'));
    await clock.advance('1ms');
    expect(await store.read('a')).toBeNull();
  });

  it('issues greater tokens although the machine’s clock was set back', async () => {
    const before = await store.invalidateTags(KEYS, 60_000);
    clock.setWallTime(clock.now() - 1_000);
    const after = await store.invalidateTags(KEYS, 60_000);
    expect(Number(after.slice(1))).toBeGreaterThan(Number(before.slice(1)));
    expect((await store.readTags(KEYS, 60_000)).clockUs).toBe(Number(after.slice(1)));
  });

  it('shows no clock that a later invalidation falls behind, although the machine’s clock was set back', async () => {
    await store.invalidateTags(KEYS, 60_000);
    await clock.advance('2s');
    const { clockUs } = await store.readTags(KEYS, 60_000);
    clock.setWallTime(clock.now() - 1_000);
    const later = await store.invalidateTags(KEYS, 60_000);
    expect(Number(later.slice(1))).toBeGreaterThan(clockUs);
  });

  it('drops what was not used for longest beyond 100,000 entries, so that it is bounded', async () => {
    for (let i = 0; i <= 100_000; i++) await store.put([{ entry: `key-${i}`, bytes: 'v', ttlMs: 60_000 }]);
    expect(await store.read('key-0')).toBeNull();
    expect(await store.read('key-1')).toEqual(Buffer.from('v'));
  });
});

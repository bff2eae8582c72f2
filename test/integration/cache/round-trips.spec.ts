import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import type { CacheService } from '../../../src/cache/index.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import { eventually, startTcpProxy, type TcpProxy } from '../../../src/testing/index.js';
import { cacheApp } from '../../support/cache-app.js';
import { cacheOf, readUntilInMemory, settled } from '../../support/cache-world.js';
import { expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';

expectNoLeakedConnections();

const ONE_WAY_MS = 20;
const ROUND_TRIP_MS = 2 * ONE_WAY_MS;
const ATTEMPTS = 3;
const MOST_ATTEMPTS = 30;

/** How often a call waits for Redis, over a network on which a round trip takes longer than all else. */
describe('how many round trips a caller waits for', () => {
  const prefix = randomPrefix();
  const tags = ['a', 'b', 'c'];
  const derived = { tags: () => tags };
  let proxy: TcpProxy;
  let plain: TestingModule;
  let tiered: TestingModule;
  let cache: CacheService;
  let memory: CacheService;
  let calls = 0;

  beforeAll(async () => {
    const { hostname, port } = new URL(sharedRedis('standalone').url);
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const redis = { ...sharedRedis('standalone'), url: `redis://${proxy.host}:${proxy.port}` };
    plain = await cacheApp({ redis, prefix });
    tiered = await cacheApp({ redis, prefix, cache: { memory: true } });
    cache = cacheOf(plain);
    memory = cacheOf(tiered);
    await everyScriptOnce(cache);
  });

  beforeEach(() => proxy.heal());

  afterAll(async () => {
    await proxy.heal();
    await plain.close();
    await tiered.close();
    await proxy.stop();
  });

  /** So that no trip goes to telling the server of a script. */
  async function everyScriptOnce(of: CacheService): Promise<void> {
    await settled(of, () => of.getOrSet('warm', () => 1, { tags, ttl: '1ms', failSafe: '1m' }));
    await eventually(async () => expect(await of.getOrSet('warm', () => 2, { failSafe: '1m' })).toBe(2));
    await of.getOrSetMany(['warm-1', 'warm-2'], () => [1, 2]);
    await of.set('warm', 1, { tags });
    await of.delete('warm');
    await of.invalidateTags(tags);
    await of.invalidateSegment('segment');
  }

  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const startedMs = performance.now();
    await work();
    return Math.floor((performance.now() - startedMs) / ROUND_TRIP_MS);
  };

  /** The least of a few attempts, since a busy machine only ever adds to it; those in which it held up a PING do not count. */
  async function trips<T>(
    prepare: (key: string) => Promise<T>,
    call: (key: string, prepared: T) => Promise<unknown>,
  ): Promise<number> {
    const counts: number[] = [];
    const ping = (): Promise<unknown> => plain.get(RedisConnections).get().send('PING', []);
    for (let i = 0; i < MOST_ATTEMPTS && counts.length < ATTEMPTS; i++) {
      calls += 1;
      const key = `key-${calls}`;
      await proxy.heal();
      const prepared = await prepare(key);
      proxy.delay(`${ONE_WAY_MS}ms`);
      const before = await timed(ping);
      const count = await timed(() => call(key, prepared));
      if (before === 1 && (await timed(ping)) === 1) counts.push(count);
    }
    return Math.min(...counts);
  }

  const nothing = async (): Promise<void> => undefined;
  const there = (key: string): Promise<unknown> => cache.set(key, 1);
  const tagged = (key: string): Promise<unknown> => cache.set(key, 1, { tags });
  const load = (): number => 2;

  it('one for a hit, with fixed tags too; one more for tags that are not known before', async () => {
    expect(await trips(there, (key) => cache.getOrSet(key, load))).toBe(1);
    expect(await trips(there, (key) => cache.get(key))).toBe(1);
    expect(await trips(tagged, (key) => cache.getOrSet(key, load, { tags }))).toBe(1);
    expect(await trips(tagged, (key) => cache.getOrSet(key, load, derived))).toBe(2);
    expect(await trips(tagged, (key) => cache.get(key))).toBe(2);
    const segment = cache.segment('segment');
    expect(
      await trips(
        (key) => segment.set(key, 1),
        (key) => segment.getOrSet(key, load),
      ),
    ).toBe(1);
    expect(
      await trips(
        (key) => segment.set(key, 1),
        (key) => segment.get(key),
      ),
    ).toBe(1);
  });

  it('one for a miss, with or without tags; another for the storing, which no caller waits for', async () => {
    expect(await trips(nothing, (key) => cache.getOrSet(key, load))).toBe(1);
    expect(await trips(nothing, (key) => cache.getOrSet(key, load, { tags }))).toBe(1);
    expect(await trips(nothing, (key) => cache.getOrSet(key, load, derived))).toBe(1);
    expect(await trips(nothing, (key) => settled(cache, () => cache.getOrSet(key, load)))).toBe(2);
    expect(await trips(tagged, (key) => settled(cache, () => cache.getOrSet(`${key}x`, load, { tags })))).toBe(2);
  });

  it('two for a miss of what was seen there before, since it was read without asking for its lease', async () => {
    const seenAndGone = async (key: string): Promise<void> => {
      await there(key);
      await cache.getOrSet(key, load);
      await cache.delete(key);
    };
    expect(await trips(seenAndGone, (key) => cache.getOrSet(key, load))).toBe(2);
  });

  it('two for replacing what is stale, or dead by a tag', async () => {
    const stale = (key: string): Promise<unknown> =>
      settled(cache, () => cache.getOrSet(key, load, { ttl: '1ms', failSafe: '1m' }));
    expect(await trips(stale, (key) => cache.getOrSet(key, load, { failSafe: '1m' }))).toBe(2);
    const dead = async (key: string): Promise<void> => {
      await cache.set(key, 1, { tags: [key] });
      await cache.invalidateTags([key]);
    };
    expect(await trips(dead, (key) => cache.getOrSet(key, load, { tags: [key] }))).toBe(2);
  });

  it('one for many keys', async () => {
    const keys = (key: string): string[] => Array.from({ length: 50 }, (_, i) => `${key}-${i}`);
    const entries = (key: string) => keys(key).map((each) => [each, 1] as const);
    expect(await trips(nothing, (key) => cache.setMany(entries(key)))).toBe(1);
    expect(
      await trips(
        (key) => cache.setMany(entries(key)),
        (key) => cache.getMany(keys(key)),
      ),
    ).toBe(1);
    expect(await trips(nothing, (key) => cache.getOrSetMany(keys(key), (wanted) => wanted.map(load)))).toBe(1);
    expect(await trips(nothing, (key) => cache.deleteMany(keys(key)))).toBe(1);
  });

  it('one for a write, and one more for its tags', async () => {
    expect(await trips(nothing, (key) => cache.set(key, 1))).toBe(1);
    expect(await trips(nothing, (key) => cache.set(key, 1, { tags: [key] }))).toBe(2);
    expect(await trips(nothing, (key) => cache.set(key, 1, { tags }))).toBe(2);
  });

  it('one for an invalidation', async () => {
    expect(await trips(there, (key) => cache.delete(key))).toBe(1);
    expect(await trips(tagged, () => cache.invalidateTags(tags))).toBe(1);
    expect(await trips(nothing, () => cache.invalidateSegment('segment'))).toBe(1);
  });

  it('none for a hit in memory, and one for a hit in Redis with tags that are known there', async () => {
    const inMemory = async (key: string): Promise<void> => {
      await memory.set(key, 1, { tags });
      await readUntilInMemory({ hasMemory: true }, memory, key);
    };
    expect(await trips(inMemory, (key) => memory.getOrSet(key, load, { tags }))).toBe(0);
    expect(await trips(inMemory, (key) => memory.getOrSet(key, load, derived))).toBe(0);
    const knownTags = async (key: string): Promise<void> => {
      await inMemory(`${key}-other`);
      await tagged(key);
      await inMemory(`${key}-another`);
    };
    expect(await trips(knownTags, (key) => memory.getOrSet(key, load, { tags }))).toBe(1);
    expect(await trips(knownTags, (key) => memory.getOrSet(key, load, derived))).toBe(1);
    expect(await trips(knownTags, (key) => memory.get(key))).toBe(1);
  });
});

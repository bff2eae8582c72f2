import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { CacheService } from '../../../src/cache/index.js';
import { RedisStore } from '../../../src/cache/store/redis-store.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import { eventually } from '../../../src/testing/index.js';
import { cacheApp } from '../../support/cache-app.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';

expectNoLeakedConnections();

describeTopologies((topology) => {
  const prefix = randomPrefix();
  const entryOf = (key: string): string => `${prefix}:cache:default:{${key}}`;
  let app: TestingModule;
  let otherProcess: TestingModule;
  let cache: CacheService;
  let others: CacheService;
  let redis: RedisConnection;
  let keys = 0;
  let key: string;

  beforeEach(async () => {
    const options = { redis: sharedRedis(topology), prefix };
    app = await cacheApp(options);
    otherProcess = await cacheApp(options);
    cache = app.get(CacheService);
    others = otherProcess.get(CacheService);
    redis = app.get(RedisConnections).get();
    keys += 1;
    key = `key-${keys}`;
  });
  afterEach(async () => {
    await app.close();
    await otherProcess.close();
  });

  const own = (): never => {
    throw new Error('the others load it');
  };

  /** A load of another process that this one waits for. */
  async function awaited<T>(tags: readonly string[] = []): Promise<{ finish: (value: T) => void; read: Promise<T> }> {
    let finish: (value: T) => void = () => undefined;
    const theirs = others.getOrSet(key, () => new Promise<T>((resolve) => (finish = resolve)), { tags });
    await eventually(async () => expect(await redis.get(entryOf(key))).not.toBeNull());
    const read = cache.getOrSet<T>(key, own, { tags });
    await eventually(() => expect(cache.counters.waits).toBe(1));
    return {
      read,
      finish: (value) => {
        finish(value);
        void theirs;
      },
    };
  }

  it.each([1, 2])('is in a hurry only where others wait in this process: of %s callers', async (callers) => {
    const settle = jest.spyOn(RedisStore.prototype, 'settle');
    try {
      let finish: (value: string) => void = () => undefined;
      const load = (): Promise<string> => new Promise((resolve) => (finish = resolve));
      const first = cache.getOrSet(key, load);
      await eventually(() => expect(cache.counters.loads).toBe(1));
      const others = Array.from({ length: callers - 1 }, () => cache.getOrSet(key, own));
      // A round trip later, they have joined.
      await cache.get('another');
      finish('loaded');
      expect(await Promise.all([first, ...others])).toEqual(Array.from({ length: callers }, () => 'loaded'));
      expect(settle.mock.calls.map(([entry, , , , isUrgent]) => [entry, isUrgent])).toEqual([
        [entryOf(key), callers > 1],
      ]);
    } finally {
      settle.mockRestore();
    }
  });

  it('brings a small value, so that it need not be read, and a large one not', async () => {
    for (const [value, commands] of [
      ['small', 0],
      ['large'.repeat(1_000), 1],
    ] as const) {
      key += value.charAt(0);
      cache.counters.waits = 0;
      const { finish, read } = await awaited<string>();
      const before = redis.counters.commands;
      finish(value);
      expect(await read).toBe(value);
      expect(redis.counters.commands - before).toBe(commands);
    }
  });

  it('hands a copy to each who waited', async () => {
    const { finish, read } = await awaited<{ list: number[] }>();
    const second = cache.getOrSet<{ list: number[] }>(key, own);
    await eventually(() => expect(cache.counters.waits).toBe(2));
    finish({ list: [1] });
    const [mine, theirs] = await Promise.all([read, second]);
    mine.list.push(2);
    expect(theirs).toEqual({ list: [1] });
  });

  it('is not believed when it comes late, from a load before the one that is waited for', async () => {
    expect(await cache.getOrSet(key, () => 'old')).toBe('old');
    let stored: Buffer | null = null;
    await eventually(async () => {
      stored = await redis.get(entryOf(key));
      expect(String(stored)).toContain('old');
    });
    expect(await cache.delete(key)).toBe(true);
    const { finish, read } = await awaited<string>();
    const late = Buffer.concat([Buffer.from(`${entryOf(key)}\0`), stored as unknown as Buffer]);
    await redis.send('PUBLISH', [`${prefix}:cache:default:wake`, late]);
    // It has looked again, and waits.
    await eventually(() => expect(cache.counters.waits).toBe(2));
    finish('new');
    expect(await read).toBe('new');
  });

  it('is not believed when its tags were invalidated before the caller came', async () => {
    const tags = [`tag of ${key}`];
    await cache.set('other', 'so that the tag has a token', { tags });
    let finish: (value: string) => void = () => undefined;
    const theirs = others.getOrSet(key, () => new Promise<string>((resolve) => (finish = resolve)), { tags });
    await eventually(async () => expect(await redis.get(entryOf(key))).not.toBeNull());
    expect(await cache.invalidateTags(tags)).toBe(true);
    const read = cache.getOrSet(key, () => 'new', { tags });
    await eventually(() => expect(cache.counters.waits).toBe(1));
    finish('old');
    expect(await theirs).toBe('old');
    expect(await read).toBe('new');
  });
});

import { Logger } from '@nestjs/common';
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { CacheCounters, CacheEvent, CacheService } from '../../../src/cache/index.js';
import { eventually, FakeClock } from '../../../src/testing/index.js';
import {
  cacheOf,
  describeCaches,
  describeStores,
  readUntilInMemory,
  redisCli,
  settled,
} from '../../support/cache-world.js';
import { expectNoLeakedConnections, type SharedTopology } from '../../support/redis.js';

expectNoLeakedConnections();

describeStores((world) => {
  const clock = new FakeClock(Date.now());
  let cache: CacheService;
  let key: string;
  let keys = 0;

  beforeAll(async () => {
    cache = cacheOf(await world.open({ clock }));
  });

  beforeEach(() => {
    keys += 1;
    key = `key-${keys}`;
  });

  const entry = (): string => `:cache:default:{${key}}`;

  /** What happens to the entry of this test meanwhile. */
  const heard = async (work: () => Promise<unknown>): Promise<CacheEvent[]> => {
    const events: CacheEvent[] = [];
    const cancel = cache.onEvent((event) => {
      if (!('key' in event) || event.key.endsWith(entry())) events.push(event);
    });
    await work();
    cancel();
    return events;
  };

  const counted = async (work: () => Promise<unknown>): Promise<Partial<CacheCounters>> => {
    const before = { ...cache.counters };
    await work();
    const changed = Object.entries(cache.counters).filter(
      ([name, value]) => value !== before[name as keyof CacheCounters],
    );
    return Object.fromEntries(
      changed.map(([name, value]) => [name, (value as number) - before[name as keyof CacheCounters]]),
    );
  };

  describe('onEvent', () => {
    it('tells of a miss, its load and its storing, and then of hits by tier', async () => {
      const events = await heard(async () => {
        await settled(cache, () => cache.getOrSet(key, () => 1));
        await cache.get(key);
      });
      const duration = { key: expect.stringContaining(entry()), durationMs: expect.any(Number) };
      expect(events).toContainEqual({ type: 'load', ...duration });
      expect(events.map(({ type }) => type).sort()).toEqual(['hit', 'load', 'miss', 'stored']);
      expect(events.at(-1)).toMatchObject({ type: 'hit', tier: 'store', stale: false });
      await readUntilInMemory(world, cache, key);
      const [last] = await heard(() => cache.get(key));
      expect(last).toMatchObject({ type: 'hit', tier: world.hasMemory ? 'memory' : 'store', stale: false });
    });

    it('tells of writes, deletions and invalidations', async () => {
      const events = await heard(async () => {
        await cache.set(key, 1, { tags: [key] });
        await cache.delete(key);
        await cache.invalidateTags([key]);
      });
      expect(events).toMatchObject([
        { type: 'write' },
        { type: 'delete' },
        { type: 'invalidate', keys: [expect.stringContaining(`:tag:${key}`)] },
      ]);
    });

    it('tells of failures with their error', async () => {
      const error = new Error('down');
      const events = await heard(() => cache.getOrSet(key, () => Promise.reject(error)).catch(() => undefined));
      expect(events).toContainEqual({
        type: 'load-failed',
        key: expect.any(String),
        durationMs: expect.any(Number),
        error,
      });
    });

    it('tells of stale values, and of loads that came too late', async () => {
      const options = { ttl: '1m', staleWhileRevalidate: '1h' } as const;
      await settled(cache, () => cache.getOrSet(key, () => 'old', options));
      await clock.advance('61s');
      const events = await heard(() =>
        settled(cache, () =>
          cache.getOrSet(
            key,
            async () => {
              await cache.delete(key);
              return 'late';
            },
            options,
          ),
        ),
      );
      expect(events).toContainEqual(expect.objectContaining({ type: 'hit', stale: true }));
      expect(events).toContainEqual(expect.objectContaining({ type: 'overtaken' }));
    });

    it('stops telling when it is told to', async () => {
      const listener = jest.fn();
      const cancel = cache.onEvent(listener);
      cancel();
      cancel();
      await cache.set(key, 1);
      expect(listener).not.toHaveBeenCalled();
    });

    it('lets no listener harm the cache or other listeners, and logs no key', async () => {
      const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
      const listener = jest.fn();
      const cancels = [
        cache.onEvent(() => {
          throw new Error(`broken by ${key}`);
        }),
        cache.onEvent(listener),
      ];
      expect(await cache.set(key, 1)).toBe(true);
      expect(await cache.getOrSet(key, () => 2)).toBe(1);
      for (const cancel of cancels) cancel();
      expect(listener).toHaveBeenCalled();
      expect(log).toHaveBeenCalled();
      expect(log.mock.calls.flat().join()).not.toContain(key);
      log.mockRestore();
    });
  });

  describe('counters', () => {
    it('count a miss and its load, then hits', async () => {
      expect(await counted(() => settled(cache, () => cache.getOrSet(key, () => 1)))).toMatchObject({
        misses: 1,
        loads: 1,
      });
      expect(await counted(() => cache.getOrSet(key, () => 1))).toMatchObject({ hits: 1 });
      await readUntilInMemory(world, cache, key);
      const memory = world.hasMemory ? { memoryHits: 2 } : {};
      expect(await counted(() => cache.getMany([key, key]))).toEqual({ hits: 2, ...memory });
    });

    it('count each caller of a shared load', async () => {
      let finish: (value: number) => void = () => undefined;
      const load = jest.fn(() => new Promise<number>((resolve) => (finish = resolve)));
      const calls = async (): Promise<void> => {
        const callers = Array.from({ length: 10 }, () => cache.getOrSet(key, load));
        await eventually(() => expect(load).toHaveBeenCalled());
        finish(1);
        await Promise.all(callers);
      };
      expect(await counted(calls)).toMatchObject({ misses: 10, loads: 1 });
    });

    it('count how long loads took, by the clock', async () => {
      const { loadMs } = cache.counters;
      await cache.getOrSet(key, () => clock.advance('250ms').then(() => 1));
      expect(cache.counters.loadMs - loadMs).toBe(250);
    });

    it('count failures, invalidations and overtaken loads', async () => {
      const fail = (): Promise<unknown> =>
        cache.getOrSet(key, () => Promise.reject(new Error())).catch(() => undefined);
      expect(await counted(fail)).toMatchObject({ loads: 1, loadFailures: 1 });
      const invalidate = async (): Promise<void> => {
        await cache.deleteMany([key, [key, 1]]);
        await cache.invalidateTags([key, [key, 1]]);
        await cache.invalidateSegment(key);
        await cache.invalidatePattern([key]);
      };
      expect(await counted(invalidate)).toEqual({ invalidations: 4 });
      const overtaken = (): Promise<unknown> =>
        settled(cache, () => cache.getOrSet(key, async () => (await cache.set(key, 'newer'), 'older')));
      expect(await counted(overtaken)).toMatchObject({ loadsOvertaken: 1, loads: 1 });
    });
  });
});

describeCaches((world) => {
  const cli = redisCli(world.topology as SharedTopology);

  it('count waits for other processes, and bytes that cannot be read', async () => {
    const [mine, theirs] = [cacheOf(await world.open()), cacheOf(await world.open())];
    let finish: (value: string) => void = () => undefined;
    const load = jest.fn(() => new Promise<string>((resolve) => (finish = resolve)));
    const first = mine.getOrSet('key', load);
    await eventually(() => expect(load).toHaveBeenCalledTimes(1));
    const second = theirs.getOrSet('key', () => 'unused');
    await eventually(() => expect(theirs.counters.waits).toBe(1));
    finish('value');
    expect(await Promise.all([first, second])).toEqual(['value', 'value']);
    expect(theirs.counters).toMatchObject({ loads: 0, misses: 1, hits: 0 });

    await cli.client.set(`${world.prefix}:cache:default:{damaged}`, 'not an entry', 'PX', 60_000);
    expect(await theirs.get('damaged')).toBeUndefined();
    expect(theirs.counters.unreadable).toBe(1);
  });
});

import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NotFoundException } from '@nestjs/common';
import { CacheLoadError, CacheTimeoutError, type CacheService } from '../../../src/cache/index.js';
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

class SourceDown extends Error {}

/** A loader that ends when it is told to. */
function held<T>(): {
  readonly load: jest.Mock<() => Promise<T>>;
  readonly finish: (value: T) => void;
  readonly fail: (error: Error) => void;
} {
  let finish: (value: T) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const load = jest.fn(
    () =>
      new Promise<T>((resolve, reject) => {
        finish = resolve;
        fail = reject;
      }),
  );
  return { load, finish: (value) => finish(value), fail: (error) => fail(error) };
}

const failing = (error: Error = new SourceDown()) =>
  jest.fn(async (): Promise<string> => {
    throw error;
  });

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

  describe('stale-while-revalidate', () => {
    const options = { ttl: '1m', staleWhileRevalidate: '1m' } as const;

    beforeEach(async () => {
      await settled(cache, () => cache.getOrSet(key, () => 'old', { ...options, tags: [key] }));
      await readUntilInMemory(world, cache, key);
      await clock.advance('61s');
    });

    it('serves the old value at once, to everybody, while one caller loads a new one', async () => {
      const { load, finish } = held<string>();
      const before = { ...cache.counters };
      const found = await Promise.all(Array.from({ length: 20 }, () => cache.getOrSet(key, load, options)));
      expect(found).toEqual(Array(20).fill('old'));
      await eventually(() => expect(load).toHaveBeenCalledTimes(1));
      expect(await cache.getOrSet(key, load, options)).toBe('old');
      finish('new');
      await eventually(async () => expect(await cache.getOrSet(key, load, options)).toBe('new'));
      expect(load).toHaveBeenCalledTimes(1);
      expect(cache.counters.refreshes).toBe(before.refreshes + 1);
      expect(cache.counters.staleServed).toBeGreaterThanOrEqual(before.staleServed + 21);
      expect(cache.counters.misses).toBe(before.misses);
    });

    it('is over when its time is', async () => {
      await clock.advance('60s');
      expect(await cache.getOrSet(key, () => 'new', options)).toBe('new');
    });

    it('is for those who ask for it', async () => {
      expect(await cache.get(key)).toBeUndefined();
      expect(await cache.getOrSet(key, () => 'new', { ttl: '1m' })).toBe('new');
    });

    it.each([
      ['fixed tags', (tag: string) => ({ tags: [tag] })],
      ['tags read off the value', (tag: string) => ({ tags: () => [tag] })],
    ])('keeps %s', async (_name, tags) => {
      await settled(cache, () => cache.getOrSet(key, () => 'new', { ...options, ...tags(key) }));
      expect(await cache.get(key)).toBe('new');
      await cache.invalidateTags([key]);
      expect(await cache.get(key)).toBeUndefined();
    });

    it.each([
      ['deleted', () => cache.delete(key), undefined],
      ['written', () => cache.set(key, 'written'), 'written'],
      ['cleared away', () => cache.clear(), undefined],
      ['invalidated by a tag', () => cache.invalidateTags([key]), undefined],
    ])('never brings back what was %s meanwhile', async (_name, change, then) => {
      const { load, finish } = held<string>();
      const outcome = await settled(cache, async () => {
        expect(await cache.getOrSet(key, load, { ...options, tags: [key] })).toBe('old');
        await eventually(() => expect(load).toHaveBeenCalledTimes(1));
        await change();
        finish('refreshed');
      });
      expect(await cache.get(key)).toBe(then);
      if (_name !== 'invalidated by a tag') expect(outcome).toBe('overtaken');
    });

    it('ends with a load that brings nothing: the entry goes', async () => {
      const load = jest.fn((): string | undefined => undefined);
      expect(await cache.getOrSet(key, load as () => string, options)).toBe('old');
      await eventually(async () => expect(await cache.getOrSet(key, () => 'new', { ttl: '1m' })).toBe('new'));
    });

    it('serves on when the load fails, and leaves the loader alone for the backoff', async () => {
      const load = failing();
      for (let i = 0; i < 20; i++) expect(await cache.getOrSet(key, load, { ...options, backoff: '1m' })).toBe('old');
      await eventually(() => expect(load).toHaveBeenCalledTimes(1));
      for (let i = 0; i < 20; i++) expect(await cache.getOrSet(key, load, { ...options, backoff: '1m' })).toBe('old');
      expect(load).toHaveBeenCalledTimes(1);
    });
  });

  describe('fail-safe', () => {
    const options = { ttl: '1m', failSafe: '1h', throttle: '30s' } as const;

    beforeEach(async () => {
      await settled(cache, () => cache.getOrSet(key, () => 'old', options));
      await clock.advance('61s');
    });

    it('serves the old value when the loader fails, and leaves the loader alone for the throttle', async () => {
      const load = failing();
      const { staleServed } = cache.counters;
      expect(await cache.getOrSet(key, load, options)).toBe('old');
      for (let i = 0; i < 10; i++) {
        expect(await cache.getOrSet(key, load, options)).toBe('old');
        await readUntilInMemory(world, cache, key);
        await clock.advance('2s');
      }
      expect(load).toHaveBeenCalledTimes(1);
      expect(cache.counters.staleServed - staleServed).toBeGreaterThanOrEqual(11);
      await clock.advance('11s');
      expect(await cache.getOrSet(key, load, options)).toBe('old');
      expect(load).toHaveBeenCalledTimes(2);
      await clock.advance('31s');
      expect(await cache.getOrSet(key, () => 'new', options)).toBe('new');
    });

    it('is shared by callers that wait for one load', async () => {
      const { load, fail } = held<string>();
      const callers = Array.from({ length: 10 }, () => cache.getOrSet(key, load, options));
      await eventually(() => expect(load).toHaveBeenCalled());
      fail(new SourceDown());
      expect(await Promise.all(callers)).toEqual(Array(10).fill('old'));
      expect(load).toHaveBeenCalledTimes(1);
    });

    it('loads a new value when the loader works', async () => {
      expect(await cache.getOrSet(key, () => 'new', options)).toBe('new');
    });

    it('does not hide an answer of the source', async () => {
      await expect(cache.getOrSet(key, failing(new NotFoundException()), options)).rejects.toBeInstanceOf(
        NotFoundException,
      );
    });

    it('is over when its time is', async () => {
      await clock.advance('1h');
      await expect(cache.getOrSet(key, failing(), options)).rejects.toBeInstanceOf(SourceDown);
    });

    it('does not bring back what was deleted while the loader was failing', async () => {
      const { load, fail } = held<string>();
      const caller = cache.getOrSet(key, load, options);
      await eventually(() => expect(load).toHaveBeenCalledTimes(1));
      await cache.delete(key);
      fail(new SourceDown());
      await caller;
      expect(await cache.get(key)).toBeUndefined();
    });

    it('does not serve what a tag has invalidated', async () => {
      await cache.set(key, 'old', { ...options, tags: [key] });
      await cache.invalidateTags([key]);
      await expect(cache.getOrSet(key, failing(), { ...options, tags: [key] })).rejects.toBeInstanceOf(SourceDown);
    });
  });

  describe('soft timeout', () => {
    const options = { ttl: '1m', failSafe: '1h', softTimeout: '20ms' } as const;

    it('serves the old value when the loader is slow, and the load goes on', async () => {
      await settled(cache, () => cache.getOrSet(key, () => 'old', options));
      await clock.advance('61s');
      const { load, finish } = held<string>();
      expect(await cache.getOrSet(key, load, options)).toBe('old');
      expect(await cache.getOrSet(key, load, options)).toBe('old');
      await settled(cache, async () => finish('new'));
      expect(await cache.getOrSet(key, load, options)).toBe('new');
      expect(load).toHaveBeenCalledTimes(1);
    });

    it('waits where there is no old value', async () => {
      const { load, finish } = held<string>();
      const caller = cache.getOrSet(key, load, options);
      await eventually(() => expect(load).toHaveBeenCalledTimes(1));
      setTimeout(() => finish('first'), 60);
      expect(await caller).toBe('first');
    });
  });

  describe('hard timeout', () => {
    it('ends the wait with an error, and the load goes on for later callers', async () => {
      const { load, finish } = held<string>();
      const options = { hardTimeout: '20ms' } as const;
      const callers = await Promise.allSettled([1, 2].map(() => cache.getOrSet(key, load, options)));
      for (const caller of callers) {
        expect(caller).toMatchObject({ status: 'rejected', reason: expect.any(CacheTimeoutError) });
      }
      await settled(cache, async () => finish('late'));
      expect(await cache.getOrSet(key, load, options)).toBe('late');
      expect(load).toHaveBeenCalledTimes(1);
    });

    it('gives the old value where there is one', async () => {
      const options = { ttl: '1m', failSafe: '1h', hardTimeout: '20ms' } as const;
      await settled(cache, () => cache.getOrSet(key, () => 'old', options));
      await clock.advance('61s');
      const { load, finish } = held<string>();
      expect(await cache.getOrSet(key, load, options)).toBe('old');
      await settled(cache, async () => finish('new'));
      expect(await cache.get(key)).toBe('new');
    });
  });

  describe('eager refresh', () => {
    const options = { ttl: '100s', eagerRefresh: 0.8 } as const;

    beforeEach(async () => {
      await settled(cache, () => cache.getOrSet(key, () => 'old', { ...options, tags: [key] }));
    });

    it('loads in the background after its share of the TTL, and not before', async () => {
      const load = jest.fn(() => 'new');
      await readUntilInMemory(world, cache, key);
      await clock.advance('79s');
      for (let i = 0; i < 5; i++) expect(await cache.getOrSet(key, load, options)).toBe('old');
      await clock.advance('1s');
      expect(load).not.toHaveBeenCalled();
      const { staleServed } = cache.counters;
      const found = await Promise.all(Array.from({ length: 20 }, () => cache.getOrSet(key, load, options)));
      expect(found).toEqual(Array(20).fill('old'));
      await eventually(async () => expect(await cache.getOrSet(key, load, options)).toBe('new'));
      expect(load).toHaveBeenCalledTimes(1);
      expect(cache.counters.staleServed).toBe(staleServed);
    });

    it('leaves a value that is good as good as it was when it fails', async () => {
      const safe = { ...options, failSafe: '1h', throttle: '1s' } as const;
      await cache.delete(key);
      await settled(cache, () => cache.getOrSet(key, () => 'old', safe));
      await clock.advance('81s');
      const { loadFailures, staleServed } = cache.counters;
      const load = failing();
      expect(await cache.getOrSet(key, load, safe)).toBe('old');
      await eventually(() => expect(cache.counters.loadFailures).toBe(loadFailures + 1));
      await clock.advance('10s');
      expect(await cache.get(key)).toBe('old');
      expect(await cache.getOrSet(key, load, { ttl: '100s' })).toBe('old');
      expect(cache.counters.staleServed).toBe(staleServed);
    });

    it('never brings back what was deleted meanwhile', async () => {
      await clock.advance('90s');
      const { load, finish } = held<string>();
      const outcome = await settled(cache, async () => {
        await cache.getOrSet(key, load, options);
        await eventually(() => expect(load).toHaveBeenCalledTimes(1));
        await cache.delete(key);
        finish('new');
      });
      expect(outcome).toBe('overtaken');
      expect(await cache.get(key)).toBeUndefined();
    });
  });

  describe('probabilistic early refresh', () => {
    const refreshed = async (earlyRefresh: number): Promise<boolean> => {
      const load = jest.fn(() => 'new');
      await settled(cache, () => cache.getOrSet(key, () => 'old', { ttl: '10m' }));
      await readUntilInMemory(world, cache, key);
      for (let i = 0; i < 200; i++) await cache.getOrSet(key, load, { ttl: '10m', earlyRefresh });
      // What was begun in the background has begun by now: it takes one step of the store.
      await cache.set([key, 'barrier'], 1);
      return load.mock.calls.length > 0;
    };

    it('loads long before the end where it is asked to be very early', async () => {
      expect(await refreshed(1_000_000)).toBe(true);
    });

    it('does not load far from the end a value that is loaded quickly', async () => {
      expect(await refreshed(1)).toBe(false);
    });
  });

  describe('how long a value is kept', () => {
    const freshFor = async (seconds: number): Promise<void> => {
      await clock.advance(`${seconds * 1_000 - 1}ms`);
      expect(await cache.get(key)).toBeDefined();
      await clock.advance('1ms');
      expect(await cache.get(key)).toBeUndefined();
    };

    it('is read off the value', async () => {
      const ttl = ({ seconds }: { seconds: number }) => `${seconds}s` as const;
      await settled(cache, () => cache.getOrSet(key, () => ({ seconds: 30 }), { ttl }));
      await freshFor(30);
      await cache.set(key, { seconds: 5 }, { ttl });
      await freshFor(5);
    });

    it('may be another for null', async () => {
      const options = { ttl: '1m', negativeTtl: '5s' } as const;
      await settled(cache, () => cache.getOrSet(key, () => null, options));
      await freshFor(5);
      await settled(cache, () => cache.getOrSet(key, () => 0, options));
      await freshFor(60);
    });

    it('ends at a given moment', async () => {
      const expiresAt = new Date(clock.now() + 10_000);
      await settled(cache, () => cache.getOrSet(key, () => 'old', { ttl: '1m', expiresAt }));
      await freshFor(10);
    });

    it('is shortened by the jitter, and never lengthened', async () => {
      for (let i = 0; i < 20; i++) {
        await settled(cache, () => cache.getOrSet([key, i], () => i, { ttl: '100s', jitter: 0.5 }));
      }
      const alive = async (): Promise<number> =>
        (await cache.getMany(Array.from({ length: 20 }, (_, i) => [key, i]))).filter((value) => value !== undefined)
          .length;
      await clock.advance('49s');
      expect(await alive()).toBe(20);
      await clock.advance('26s');
      const half = await alive();
      expect(half).toBeGreaterThan(0);
      expect(half).toBeLessThan(20);
      await clock.advance('25s');
      expect(await alive()).toBe(0);
    });
  });

  describe('backoff', () => {
    it('gives later callers the failure, and asks the loader again after it', async () => {
      const failure = new SourceDown();
      const load = failing(failure);
      for (let i = 0; i < 5; i++) {
        await expect(cache.getOrSet(key, load, { backoff: '800ms' })).rejects.toBe(failure);
      }
      expect(load).toHaveBeenCalledTimes(1);
      await clock.advance('800ms');
      await eventually(async () => expect(await cache.getOrSet(key, () => 'new')).toBe('new'), { within: '10s' });
    });

    it('does not hold up answers of the source', async () => {
      const load = failing(new NotFoundException());
      for (let i = 0; i < 3; i++) {
        await expect(cache.getOrSet([key, i], load)).rejects.toBeInstanceOf(NotFoundException);
      }
      await expect(cache.getOrSet(key, load)).rejects.toBeInstanceOf(NotFoundException);
      await eventually(async () => expect(await cache.getOrSet(key, () => 'found')).toBe('found'), { within: '400ms' });
    });

    it('can be turned off', async () => {
      await expect(cache.getOrSet(key, failing(), { backoff: false })).rejects.toBeInstanceOf(SourceDown);
      await eventually(async () => expect(await cache.getOrSet(key, () => 'new', { backoff: false })).toBe('new'), {
        within: '400ms',
      });
    });

    it('ends with a write, and with a deletion', async () => {
      await expect(cache.getOrSet(key, failing(), { backoff: '1h' })).rejects.toBeInstanceOf(SourceDown);
      await cache.set(key, 'written');
      expect(await cache.getOrSet(key, failing())).toBe('written');
      await expect(cache.getOrSet([key], failing(), { backoff: '1h' })).resolves.toBe('written');
      await cache.delete(key);
      await expect(cache.getOrSet(key, failing(), { backoff: '1h' })).rejects.toBeInstanceOf(SourceDown);
      await eventually(async () => {
        await cache.delete(key);
        expect(await cache.getOrSet(key, () => 'new')).toBe('new');
      });
    });

    it('reads as nothing', async () => {
      await expect(cache.getOrSet(key, failing(), { backoff: '1h' })).rejects.toBeInstanceOf(SourceDown);
      expect(await cache.get(key)).toBeUndefined();
    });
  });
});

describeCaches((world) => {
  const clock = new FakeClock(Date.now());
  const cli = redisCli(world.topology as SharedTopology);
  let mine: CacheService;
  let theirs: CacheService;
  let key: string;
  let keys = 0;

  beforeAll(async () => {
    mine = cacheOf(await world.open({ clock }));
    theirs = cacheOf(await world.open({ clock }));
  });

  beforeEach(() => {
    keys += 1;
    key = `shared-${keys}`;
  });

  it('lets one process refresh, and the other serve the old value meanwhile', async () => {
    const options = { ttl: '1m', staleWhileRevalidate: '1m' } as const;
    await settled(mine, () => mine.getOrSet(key, () => 'old', options));
    await clock.advance('61s');
    const { load, finish } = held<string>();
    expect(await mine.getOrSet(key, load, options)).toBe('old');
    await eventually(() => expect(load).toHaveBeenCalledTimes(1));
    const other = jest.fn(() => 'other');
    for (let i = 0; i < 10; i++) expect(await theirs.getOrSet(key, other, options)).toBe('old');
    await settled(mine, async () => finish('new'));
    await world.elsewhere(async () => expect(await theirs.getOrSet(key, other, options)).toBe('new'));
    expect(other).not.toHaveBeenCalled();
  });

  it('spares every process the loader while a stale value serves in its place', async () => {
    const options = { ttl: '1m', failSafe: '1h', throttle: '30s' } as const;
    await settled(mine, () => mine.getOrSet(key, () => 'old', options));
    await clock.advance('61s');
    expect(await mine.getOrSet(key, failing(), options)).toBe('old');
    const load = failing();
    for (let i = 0; i < 5; i++) {
      expect(await theirs.getOrSet(key, load, options)).toBe('old');
      await clock.advance('1s');
    }
    expect(load).not.toHaveBeenCalled();
  });

  it('spares every process a loader that has just failed', async () => {
    await expect(mine.getOrSet(key, failing(), { backoff: '1h' })).rejects.toBeInstanceOf(SourceDown);
    const load = jest.fn(() => 'unused');
    await eventually(async () => {
      const error = await theirs.getOrSet(key, load).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(CacheLoadError);
      expect((error as CacheLoadError).retryAfterMs).toBeGreaterThan(3_500_000);
      expect((error as CacheLoadError).message).not.toContain(key);
    });
    expect(load).not.toHaveBeenCalled();
    await mine.delete(key);
  });

  it('gives a caller in another process the old value at the soft timeout, and an error at the hard one', async () => {
    const options = { ttl: '1m', failSafe: '1h', softTimeout: '30ms', hardTimeout: '60ms' } as const;
    await settled(mine, () => mine.getOrSet(key, () => 'old', options));
    await clock.advance('61s');
    const { load, finish } = held<string>();
    expect(await mine.getOrSet(key, load, options)).toBe('old');
    expect(await theirs.getOrSet(key, () => 'unused', options)).toBe('old');
    await settled(mine, async () => finish('new'));
    await mine.delete(key);
    const cold = held<string>();
    await expect(mine.getOrSet(key, cold.load, options)).rejects.toBeInstanceOf(CacheTimeoutError);
    await expect(theirs.getOrSet(key, () => 'unused', options)).rejects.toBeInstanceOf(CacheTimeoutError);
    await settled(mine, async () => cold.finish('late'));
    expect(await theirs.getOrSet(key, () => 'unused', options)).toBe('late');
  });

  it('keeps an entry in Redis for as long as it may be served, fresh or stale', async () => {
    const ttlOf = (): Promise<number> => cli.client.pttl(`${world.prefix}:cache:default:{${key}}`);
    await mine.set(key, 1, { ttl: '1m', staleWhileRevalidate: '10m', failSafe: '1h' } as never);
    expect(await ttlOf()).toBeGreaterThan(3_650_000);
    expect(await ttlOf()).toBeLessThanOrEqual(3_660_000);
    await settled(mine, async () => {
      await mine.delete(key);
      await mine.getOrSet(key, () => 1, { ttl: '1m', staleWhileRevalidate: '10m' });
    });
    expect(await ttlOf()).toBeGreaterThan(650_000);
    expect(await ttlOf()).toBeLessThanOrEqual(660_000);
    await settled(mine, async () => {
      await mine.delete(key);
      const expiresAt = new Date(clock.now() + 30_000);
      await mine.getOrSet(key, () => 1, { ttl: '1m', staleWhileRevalidate: '10m', failSafe: '1h', expiresAt });
    });
    expect(await ttlOf()).toBeGreaterThan(20_000);
    expect(await ttlOf()).toBeLessThanOrEqual(30_000);
  });
});

import { beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import type { CacheService } from '../../../src/cache/index.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import { eventually, FakeClock } from '../../../src/testing/index.js';
import { cacheOf, describeCaches, describeStores, readUntilInMemory, settled } from '../../support/cache-world.js';
import { expectNoLeakedConnections } from '../../support/redis.js';

expectNoLeakedConnections();

type BatchKey = readonly [string, number];

/** A batch loader that remembers what it was asked for. */
function source(): { readonly asked: number[][]; readonly load: (keys: readonly BatchKey[]) => Promise<string[]> } {
  const asked: number[][] = [];
  return {
    asked,
    load: async (keys) => {
      asked.push(keys.map(([, id]) => id));
      return keys.map(([, id]) => `value ${id}`);
    },
  };
}

describeStores((world) => {
  const clock = new FakeClock(Date.now());
  let cache: CacheService;
  let name: string;
  let names = 0;

  beforeAll(async () => {
    cache = cacheOf(await world.open({ clock }));
  });

  beforeEach(() => {
    names += 1;
    name = `batch-${names}`;
  });

  const keys = (...ids: number[]): BatchKey[] => ids.map((id) => [name, id]);
  const stored = (...ids: number[]): Promise<void> =>
    eventually(async () => {
      // A read of its own of each key, so that no load of this process answers.
      const found = await cache.getMany(keys(...ids));
      expect(found).not.toContain(undefined);
    });

  it('calls the loader once for all that is missing, and gives the values in the order of the keys', async () => {
    const { asked, load } = source();
    await cache.set([name, 2], 'there');
    expect(await cache.getOrSetMany(keys(3, 1, 2, 4), load)).toEqual(['value 3', 'value 1', 'there', 'value 4']);
    expect(asked).toEqual([[3, 1, 4]]);
    await stored(1, 3, 4);
    expect(await cache.getOrSetMany(keys(1, 2, 3, 4), load)).toEqual(['value 1', 'there', 'value 3', 'value 4']);
    expect(asked).toHaveLength(1);
  });

  it('calls no loader when everything is there, or nothing is wanted', async () => {
    const { asked, load } = source();
    await cache.setMany(keys(1, 2).map((key) => [[...key], 'there'] as const));
    expect(await cache.getOrSetMany(keys(1, 2), load)).toEqual(['there', 'there']);
    expect(await cache.getOrSetMany([], load)).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('loads a key once that is asked for twice', async () => {
    const { asked, load } = source();
    expect(await cache.getOrSetMany(keys(1, 2, 1, 1), load)).toEqual(['value 1', 'value 2', 'value 1', 'value 1']);
    expect(asked.flat().sort()).toEqual([1, 2]);
    expect(asked).toHaveLength(1);
  });

  it('loads 500 keys with one call', async () => {
    const { asked, load } = source();
    const ids = Array.from({ length: 500 }, (_, i) => i);
    expect(await cache.getOrSetMany(keys(...ids), load)).toEqual(ids.map((id) => `value ${id}`));
    expect(asked.map((each) => each.sort((a, b) => a - b))).toEqual([ids]);
  });

  it('shares the loads of batches that overlap, and of single keys', async () => {
    const { asked, load } = source();
    const found = await Promise.all([
      cache.getOrSetMany(keys(1, 2, 3), load),
      cache.getOrSetMany(keys(3, 2, 4), load),
      cache.getOrSet([name, 4], async () => (await load([[name, 4]]))[0]),
    ]);
    expect(found).toEqual([['value 1', 'value 2', 'value 3'], ['value 3', 'value 2', 'value 4'], 'value 4']);
    expect(asked.flat().sort()).toEqual([1, 2, 3, 4]);
  });

  it('does not cache what the loader does not find', async () => {
    const load = jest.fn((wanted: readonly BatchKey[]) => wanted.map(([, id]) => (id === 2 ? undefined : id)));
    expect(await cache.getOrSetMany(keys(1, 2, 3), load)).toEqual([1, undefined, 3]);
    await stored(1, 3);
    expect(await cache.getOrSetMany(keys(1, 2, 3), load)).toEqual([1, undefined, 3]);
    expect(load).toHaveBeenLastCalledWith(keys(2));
  });

  it('hands on the failure of the loader, and keeps what other loads brought', async () => {
    const failure = new Error('down');
    await cache.set([name, 1], 'there');
    const load = jest.fn(async (): Promise<string[]> => {
      throw failure;
    });
    await expect(cache.getOrSetMany(keys(1, 2, 3), load)).rejects.toBe(failure);
    expect(load).toHaveBeenCalledTimes(1);
    // The keys that failed are left alone for the backoff, others are not.
    await expect(cache.getOrSetMany(keys(2, 4), source().load, { backoff: '1h' })).rejects.toBe(failure);
    await stored(1, 4);
  });

  it.each([
    ['too few', (): string[] => ['one']],
    ['too many', (): string[] => ['one', 'two', 'three']],
    ['no list at all', (): string[] => 'ab' as unknown as string[]],
  ])('refuses %s values from the loader, and caches none of them', async (_name, load) => {
    await expect(cache.getOrSetMany(keys(1, 2), load)).rejects.toMatchObject({
      code: 'ROOKERY_CONFIGURATION',
      message: expect.stringContaining('a value for each of the 2 keys'),
    });
    expect(await cache.getMany(keys(1, 2))).toEqual([undefined, undefined]);
  });

  it('applies its options to each value', async () => {
    const options = {
      ttl: (value: string) => (value === 'value 1' ? ('1s' as const) : ('1h' as const)),
      tags: (value: string) => [[name, value]],
      unless: (value: string) => value === 'value 3',
    };
    await settled(cache, () => cache.getOrSetMany(keys(1, 2, 3, 4), source().load, options));
    await stored(1, 2, 4);
    expect(await cache.get([name, 3])).toBeUndefined();
    await clock.advance('2s');
    await cache.invalidateTags([[name, 'value 2']]);
    expect(await cache.getMany(keys(1, 2, 3, 4))).toEqual([undefined, undefined, undefined, 'value 4']);
  });

  it('serves stale values at once, and refreshes them in the background with few calls', async () => {
    const options = { ttl: '1m', staleWhileRevalidate: '1m' } as const;
    const { asked, load } = source();
    const ids = Array.from({ length: 100 }, (_, id) => id);
    const values = ids.map((id) => `value ${id}`);
    await cache.getOrSetMany(keys(...ids), async (wanted) => wanted.map(() => 'old'), options);
    await stored(...ids);
    await clock.advance('61s');
    const withOneMore = keys(...ids, 100);
    expect(await cache.getOrSetMany(withOneMore, load, options)).toEqual([...ids.map(() => 'old'), 'value 100']);
    await eventually(async () =>
      expect(await cache.getOrSetMany(withOneMore, load, options)).toEqual([...values, 'value 100']),
    );
    expect(asked.flat().sort((a, b) => a - b)).toEqual([...ids, 100]);
    // One for the missing key, and a few more as the replies come in from each server.
    expect(asked.length).toBeLessThanOrEqual(10);
  });

  it.each([Number.NaN, 0, -1, 1.5, Infinity])(
    'refuses to warm %p keys at a time before anything is loaded',
    async (batch) => {
      const { asked, load } = source();
      await expect(cache.warm(keys(1, 2), load, { batch })).rejects.toMatchObject({ code: 'ROOKERY_CONFIGURATION' });
      expect(asked).toEqual([]);
    },
  );

  it('refuses a key that cannot be encoded before anything is loaded', async () => {
    const { asked, load } = source();
    await expect(
      cache.getOrSetMany(
        [
          [name, 1],
          [name, (() => 1) as never],
        ] as BatchKey[],
        load,
      ),
    ).rejects.toMatchObject({ code: 'ROOKERY_KEY_ENCODING' });
    await cache.getOrSetMany(keys(2), load);
    expect(asked.flat()).toContain(2);
  });
});

describeCaches((world) => {
  let app: TestingModule;
  let mine: CacheService;
  let theirs: CacheService;

  beforeAll(async () => {
    app = await world.open();
    mine = cacheOf(app);
    theirs = cacheOf(await world.open());
  });

  it('does not deadlock with a batch of another process that overlaps it, and loads each key once', async () => {
    for (let round = 0; round < 20; round++) {
      const keys = Array.from({ length: 20 }, (_, i): BatchKey => [`overlap-${round}`, i]);
      const { asked, load } = source();
      const slowly = async (wanted: readonly BatchKey[]): Promise<string[]> => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return load(wanted);
      };
      const expected = keys.map(([, id]) => `value ${id}`);
      const found = await Promise.all([
        mine.getOrSetMany(keys, slowly),
        theirs.getOrSetMany([...keys].reverse(), slowly),
        mine.getOrSetMany(keys.slice(5, 15), slowly),
      ]);
      expect(found).toEqual([expected, [...expected].reverse(), expected.slice(5, 15)]);
      expect(asked.flat().sort((a, b) => a - b)).toEqual(keys.map(([, id]) => id));
    }
  });

  it('does not wait with what it has to load for what another process is loading', async () => {
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (finish = resolve));
    const { loads } = theirs.counters;
    const other = theirs.getOrSet(['slow', 1], () => held.then(() => 'theirs'));
    await eventually(() => expect(theirs.counters.loads).toBe(loads + 1));
    const { asked, load } = source();
    const batch = mine.getOrSetMany(
      [
        ['slow', 1],
        ['slow', 2],
      ] as BatchKey[],
      load,
    );
    await eventually(() => expect(asked).toEqual([[2]]));
    finish();
    expect(await batch).toEqual(['theirs', 'value 2']);
    expect(await other).toBe('theirs');
    expect(asked).toEqual([[2]]);
  });

  it('reads and takes leases with as few commands as there are groups of keys', async () => {
    const redis = app.get(RedisConnections).get();
    const keys = Array.from({ length: 60 }, (_, i): BatchKey => ['commands', i]);
    const groups = new Set(keys.map(([, i]) => redis.groupOf(`${world.prefix}:cache:default:{commands,${i}}`))).size;
    await mine.getOrSetMany(
      [
        ['warm', 1],
        ['warm', 2],
      ] as BatchKey[],
      source().load,
    );
    await readUntilInMemory(world, mine, ['warm', 1]);
    const before = redis.counters.commands;
    let during = 0;
    await mine.getOrSetMany(keys, (wanted) => {
      during = redis.counters.commands - before;
      return wanted.map(() => 'value');
    });
    // On a server that has just met a script, each group may need it once more in full.
    expect(during).toBeGreaterThanOrEqual(groups);
    expect(during).toBeLessThanOrEqual(groups + 3);
  });
});

import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ANY, startingWith, type CacheKey, type CacheService, type KeyPattern } from '../../../src/cache/index.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import { cacheOf, describeCaches, describeStores, readUntilInMemory, settled } from '../../support/cache-world.js';
import { expectNoLeakedConnections, keysUnder, type SharedTopology } from '../../support/redis.js';

expectNoLeakedConnections();

describeStores((world) => {
  let cache: CacheService;
  let id: string;
  let ids = 0;

  beforeAll(async () => {
    cache = cacheOf(await world.open({ caches: [{ name: 'namesake' }] }));
  });

  beforeEach(() => {
    ids += 1;
    id = `id-${ids}`;
  });

  const left = async (keys: readonly CacheKey[], pattern: KeyPattern): Promise<CacheKey[]> => {
    await cache.setMany(keys.map((key) => [key, 1] as const));
    const { evicted, complete } = await cache.invalidatePattern(pattern);
    const found = await cache.getMany(keys);
    expect(complete).toBe(true);
    expect(evicted).toBe(found.filter((value) => value === undefined).length);
    return keys.filter((_, i) => found[i] !== undefined);
  };

  describe('invalidatePattern', () => {
    it('evicts what begins with the given parts', async () => {
      const keys: CacheKey[] = [
        [id, 42, 'a'],
        [id, 42, 'b', 'c'],
        [id, 42],
        [id, '42', 'a'],
        [id, 421, 'a'],
        id,
        [id, [42, 'a']],
      ];
      expect(await left(keys, [id, 42, ANY])).toEqual(keys.slice(2));
    });

    it('evicts what ends with the given parts', async () => {
      const keys: CacheKey[] = [
        [id, 1, 'end'],
        [id, 2, 'end'],
        [id, 2, 'end', 'more'],
        [id, 'the end'],
      ];
      expect(await left(keys, [id, ANY, 'end'])).toEqual(keys.slice(2));
    });

    it('evicts what begins with a text', async () => {
      const keys: CacheKey[] = [
        [id, 'apple'],
        [id, 'app'],
        [id, 'ap'],
        [id, 'Apple'],
        [id, 'pineapple'],
        [id, 5],
      ];
      expect(await left(keys, [id, startingWith('app')])).toEqual(keys.slice(2));
    });

    it('evicts whatever text it is that is to begin with nothing', async () => {
      const keys: CacheKey[] = [
        [id, 'a'],
        [id, '1'],
        [id, ''],
        [id, ' '],
        [id, 'é'],
      ];
      expect(await left(keys, [id, startingWith('')])).toEqual([]);
    });

    it('evicts one key', async () => {
      const keys: CacheKey[] = [[id, 1], [id, 2], id];
      expect(await left(keys, [id, 1])).toEqual(keys.slice(1));
    });

    it.each(['*', '?', '[a-z]*', 'a*', '{', '}', '\\*', 'a}:{b', ',', ':', '%2A', "'"])(
      'takes %j for itself',
      async (hostile) => {
        const keys: CacheKey[] = [
          [id, hostile],
          [id, 'anything'],
          [id, 'ab'],
          [id, 'a', 'b'],
          [id, `${hostile}more`],
        ];
        expect(await left(keys, [id, hostile])).toEqual(keys.slice(1));
        expect(await left(keys, [id, startingWith(hostile)])).toEqual(keys.slice(1, -1));
      },
    );

    it('evicts what is in memory', async () => {
      await cache.set(id, 'value');
      await readUntilInMemory(world, cache, id);
      await cache.invalidatePattern([startingWith(id)]);
      expect(await cache.get(id)).toBeUndefined();
    });

    it('does not let a value in that was being loaded', async () => {
      const outcome = await settled(cache, () =>
        cache.getOrSet([id, 'loading'], async () => {
          await cache.invalidatePattern([id, ANY]);
          return 'old';
        }),
      );
      expect(outcome).toBe('overtaken');
      expect(await cache.get([id, 'loading'])).toBeUndefined();
    });

    it('leaves segments, tags and other caches alone', async () => {
      const namesake = cache.named('namesake');
      await cache.segment('lamps').set(id, 'segment');
      await namesake.set(id, 'namesake');
      await cache.invalidatePattern([ANY]);
      expect(await cache.segment('lamps').get(id)).toBe('segment');
      expect(await namesake.get(id)).toBe('namesake');
    });

    it('works within a segment', async () => {
      const segment = cache.segment(`segment-${id}`);
      await segment.set([id, 1], 'segment');
      await cache.set([id, 1], 'cache');
      expect(await segment.invalidatePattern([id, ANY])).toEqual({ evicted: 1, complete: true });
      expect(await segment.get([id, 1])).toBeUndefined();
      expect(await cache.get([id, 1])).toBe('cache');
    });

    it('tells how far it is, and to what it came', async () => {
      await cache.setMany(Array.from({ length: 2_000 }, (_, i) => [[id, i], i] as const));
      const progress: number[] = [];
      const result = await cache.invalidatePattern([id, ANY], { onProgress: (evicted) => progress.push(evicted) });
      expect(result).toEqual({ evicted: 2_000, complete: true });
      expect(progress.at(-1)).toBe(2_000);
      expect(progress).toEqual([...progress].sort((a, b) => a - b));
    });

    it('does nothing under a signal that has been aborted', async () => {
      await cache.set([id, 1], 'value');
      const result = await cache.invalidatePattern([id, ANY], { signal: AbortSignal.abort() });
      expect(result).toEqual({ evicted: 0, complete: false });
      expect(await cache.get([id, 1])).toBe('value');
    });
  });

  describe('clear', () => {
    it('empties the cache with its segments and tags, and no other cache', async () => {
      const namesake = cache.named('namesake');
      await namesake.set(id, 'namesake');
      await cache.set([id, 1], 1, { tags: [id] });
      await cache.segment('lamps').set(id, 2);
      await readUntilInMemory(world, cache.segment('lamps'), id);
      expect(await cache.clear()).toMatchObject({ complete: true });
      expect([await cache.get([id, 1]), await cache.segment('lamps').get(id)]).toEqual([undefined, undefined]);
      expect(await namesake.get(id)).toBe('namesake');
    });

    it('leaves a cache that can be used at once', async () => {
      for (const round of [1, 2]) {
        await cache.clear();
        await settled(cache, () => cache.getOrSet(id, () => round, { tags: [id] }));
        await cache.set([id, 'set'], round, { tags: [id] });
        expect(await cache.getMany([id, [id, 'set']])).toEqual([round, round]);
      }
    });
  });
});

describeCaches((world) => {
  const topology = world.topology as SharedTopology;

  it('ends within a batch of the signal, and says that it is not complete', async () => {
    const cache = cacheOf(await world.open());
    await cache.setMany(Array.from({ length: 3_000 }, (_, i) => [['abort', i], i] as const));
    const controller = new AbortController();
    const result = await cache.invalidatePattern(['abort', ANY], {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    expect(result.complete).toBe(false);
    expect(result.evicted).toBeGreaterThan(0);
    expect(result.evicted).toBeLessThan(3_000);
    expect(await keysUnder(topology, `${world.prefix}:cache:default:`)).toHaveLength(3_000 - result.evicted);
    await cache.clear();
  });

  it('reaches every server, and leaves nothing behind', async () => {
    const app = await world.open();
    const cache = cacheOf(app);
    await cache.setMany(
      Array.from({ length: 300 }, (_, i) => [['spread', i], i] as const),
      { tags: ['tag'] },
    );
    const { evicted } = await cache.clear();
    expect(evicted).toBeGreaterThanOrEqual(301);
    expect(await keysUnder(topology, `${world.prefix}:cache:default:`)).toEqual([]);
    const groups = new Set(
      Array.from({ length: 300 }, (_, i) =>
        app.get(RedisConnections).get().groupOf(`${world.prefix}:cache:default:{spread,${i}}`),
      ),
    );
    expect(groups.size).toBeGreaterThan(topology === 'cluster' ? 3 : 0);
  });

  it('reaches the memory of another process', async () => {
    const [cache, other] = [cacheOf(await world.open()), cacheOf(await world.open())];
    await cache.set('remote', 'value');
    await readUntilInMemory(world, other, 'remote');
    await cache.invalidatePattern(['remote']);
    await world.elsewhere(async () => expect(await other.get('remote')).toBeUndefined());
  });
});

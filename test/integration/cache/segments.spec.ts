import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Cache, CacheService } from '../../../src/cache/index.js';
import { eventually } from '../../../src/testing/index.js';
import { cacheOf, describeCaches, describeStores, readUntilInMemory, settled } from '../../support/cache-world.js';
import { expectNoLeakedConnections, keysUnder, type SharedTopology } from '../../support/redis.js';

expectNoLeakedConnections();

describeStores((world) => {
  let cache: CacheService;
  let name: string;
  let lamps: Cache;
  let chairs: Cache;
  let names = 0;

  beforeAll(async () => {
    cache = cacheOf(await world.open());
  });

  beforeEach(() => {
    names += 1;
    name = `segment-${names}`;
    lamps = cache.segment(name);
    chairs = cache.segment(`${name}-chairs`);
  });

  it('has keys of its own', async () => {
    await cache.set(name, 'cache');
    await lamps.set(name, 'lamps');
    await chairs.set(name, 'chairs');
    expect([await cache.get(name), await lamps.get(name), await chairs.get(name)]).toEqual([
      'cache',
      'lamps',
      'chairs',
    ]);
    await lamps.delete(name);
    expect([await cache.get(name), await lamps.get(name), await chairs.get(name)]).toEqual([
      'cache',
      undefined,
      'chairs',
    ]);
  });

  it('is the same however often it is asked for', async () => {
    await lamps.set(1, 'lamp');
    expect(await cache.segment(name).get(1)).toBe('lamp');
    expect(await cache.segment(name).getOrSet(1, () => 'other')).toBe('lamp');
  });

  describe('invalidateSegment', () => {
    it('drops everything in the segment, loaded, written and in memory, and nothing else', async () => {
      await settled(lamps, () => lamps.getOrSet('loaded', () => 1));
      await lamps.set('written', 2, { tags: ['brand'] });
      await chairs.set('other', 3);
      await cache.set([name, 'none'], 4);
      await readUntilInMemory(world, lamps, 'written');
      await readUntilInMemory(world, chairs, 'other');
      expect(await cache.invalidateSegment(name)).toBe(true);
      expect(await lamps.getMany(['loaded', 'written'])).toEqual([undefined, undefined]);
      expect(await chairs.get('other')).toBe(3);
      expect(await cache.get([name, 'none'])).toBe(4);
    });

    it('takes values in again at once', async () => {
      for (const round of [1, 2, 3]) {
        await cache.invalidateSegment(name);
        expect(await lamps.getOrSet('key', () => round)).toBe(round);
        await lamps.set('set', round);
        expect(await lamps.get('set')).toBe(round);
      }
    });

    it('kills a value that is being loaded', async () => {
      await settled(lamps, () =>
        lamps.getOrSet('key', async () => {
          await cache.invalidateSegment(name);
          return 'old';
        }),
      );
      expect(await lamps.get('key')).toBeUndefined();
    });

    it('takes a segment that nobody has used', async () => {
      expect(await cache.invalidateSegment(`${name}-unused`)).toBe(true);
    });

    it('does not mistake a segment for a tag of that name', async () => {
      await cache.set([name, 'tagged'], 'tagged', { tags: [name] });
      await lamps.set('key', 'lamp');
      await cache.invalidateSegment(name);
      expect(await cache.get([name, 'tagged'])).toBe('tagged');
      await lamps.set('key', 'lamp');
      await cache.invalidateTags([name]);
      expect(await lamps.get('key')).toBe('lamp');
      expect(await cache.get([name, 'tagged'])).toBeUndefined();
    });
  });

  it("shares the cache's tags", async () => {
    await cache.set([name, 1], 'cache', { tags: [name] });
    await lamps.set(1, 'lamps', { tags: [name] });
    await chairs.set(1, 'chairs', { tags: () => [name] });
    await lamps.invalidateTags([name]);
    expect([await cache.get([name, 1]), await lamps.get(1), await chairs.get(1)]).toEqual(Array(3).fill(undefined));
  });

  it("counts with its cache's", async () => {
    const { misses, loads } = cache.counters;
    await lamps.getOrSet('counted', () => 1);
    expect(cache.counters).toMatchObject({ misses: misses + 1, loads: loads + 1 });
  });

  it('keeps segments of odd names apart', async () => {
    const odd = [
      'a',
      'a:b',
      'a,b',
      '{a}',
      '*',
      ' ',
      'A',
      '%',
      'segment',
      'tags',
      'scope',
      'refresh',
      'é',
      'x'.repeat(500),
    ];
    for (const each of odd) await cache.segment(each).set(name, each);
    for (const each of odd) expect(await cache.segment(each).get(name)).toBe(each);
    await cache.invalidateSegment('*');
    for (const each of odd) expect(await cache.segment(each).get(name)).toBe(each === '*' ? undefined : each);
  });

  it('is cleared without the rest of the cache', async () => {
    await cache.set([name, 1], 'cache');
    await chairs.set(1, 'chairs');
    await lamps.setMany([
      [1, 'lamp'],
      [2, 'lamp'],
    ]);
    await readUntilInMemory(world, lamps, 1);
    expect(await lamps.clear()).toMatchObject({ complete: true });
    expect(await lamps.getMany([1, 2])).toEqual([undefined, undefined]);
    expect([await cache.get([name, 1]), await chairs.get(1)]).toEqual(['cache', 'chairs']);
  });
});

describeCaches((world) => {
  it('is invalidated from and for another process', async () => {
    const [lamps, others] = [cacheOf(await world.open()), cacheOf(await world.open())].map((cache) =>
      cache.segment('lamps'),
    );
    const load = jest.fn(() => 'new');
    await (lamps as Cache).set('key', 'old');
    await readUntilInMemory(world, others as Cache, 'key');
    await (lamps as Cache).invalidateSegment('lamps');
    await world.elsewhere(async () => expect(await (others as Cache).get('key')).toBeUndefined());
    expect(await (others as Cache).getOrSet('key', load)).toBe('new');
    await eventually(async () => expect(await (lamps as Cache).get('key')).toBe('new'));
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('keeps its entries under a prefix of its own', async () => {
    const lamps = cacheOf(await world.open()).segment('lamps');
    await lamps.set(7, 'lamp');
    const keys = await keysUnder(world.topology as SharedTopology, `${world.prefix}:cache:default:segment:lamps:`);
    expect(keys).toContain(`${world.prefix}:cache:default:segment:lamps:{7}`);
  });
});

import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import type { CacheService, CacheTag } from '../../../src/cache/index.js';
import { RedisStore } from '../../../src/cache/store/redis-store.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import { eventually } from '../../../src/testing/index.js';
import {
  cacheOf,
  describeCaches,
  describeStores,
  readUntilInMemory,
  redisCli,
  settled,
} from '../../support/cache-world.js';
import { expectNoLeakedConnections, keysUnder, type SharedTopology } from '../../support/redis.js';

expectNoLeakedConnections();

interface Product {
  readonly id: number;
  readonly brand: string;
}

const lamp: Product = { id: 1, brand: 'lumen' };
const byBrand = { tags: (product: Product) => [['brand', product.brand]] };

describeStores((world) => {
  let cache: CacheService;
  let tag: string;
  let key: string;
  let names = 0;

  beforeAll(async () => {
    cache = cacheOf(await world.open());
  });

  beforeEach(() => {
    names += 1;
    tag = `tag-${names}`;
    key = `key-${names}`;
  });

  const tagged = (...tags: CacheTag[]): { readonly tags: CacheTag[] } => ({ tags });

  describe('invalidateTags', () => {
    it('drops every entry with the tag, loaded or written, and no other', async () => {
      await settled(cache, () => cache.getOrSet([key, 'loaded'], () => 1, tagged(tag)));
      await cache.set([key, 'written'], 2, tagged(tag, 'another'));
      await cache.set([key, 'other'], 3, tagged(`not-${tag}`));
      await cache.set([key, 'untagged'], 4);
      const keys = ['loaded', 'written', 'other', 'untagged'].map((part) => [key, part]);
      expect(await cache.getMany(keys)).toEqual([1, 2, 3, 4]);
      expect(await cache.invalidateTags([tag])).toBe(true);
      expect(await cache.getMany(keys)).toEqual([undefined, undefined, 3, 4]);
    });

    it('drops what any one of the given tags marks', async () => {
      await cache.set([key, 1], 1, tagged(tag, 'x'));
      await cache.set([key, 2], 2, tagged('x', [tag, 2]));
      await cache.set([key, 3], 3, tagged('x'));
      await cache.invalidateTags([tag, [tag, 2]]);
      expect(await cache.getMany([1, 2, 3].map((part) => [key, part]))).toEqual([undefined, undefined, 3]);
    });

    it('drops what is in memory', async () => {
      await cache.set(key, 'old', tagged(tag));
      await readUntilInMemory(world, cache, key);
      await cache.invalidateTags([tag]);
      expect(await cache.get(key)).toBeUndefined();
      expect(await cache.getOrSet(key, () => 'new', tagged(tag))).toBe('new');
    });

    it('takes no tags, and tags that no entry has', async () => {
      expect(await cache.invalidateTags([])).toBe(true);
      expect(await cache.invalidateTags([tag, [tag, tag]])).toBe(true);
      await cache.set(key, 'value', tagged(tag));
      expect(await cache.get(key)).toBe('value');
    });

    it('lets values in again at once, by load and by write', async () => {
      for (const round of [1, 2, 3]) {
        await cache.invalidateTags([tag]);
        await settled(cache, () => cache.getOrSet(key, () => round, tagged(tag)));
        expect(await cache.get(key)).toBe(round);
        await cache.set([key, 'set'], round, tagged(tag));
        expect(await cache.get([key, 'set'])).toBe(round);
      }
    });

    it('knows tags by their parts', async () => {
      const tags: CacheTag[] = [1, '1', ['a', 'b'], 'a,b', ['a:b'], 'a b', 'tag}:{', '*', 'é\u0000\n', ['']];
      for (const [i, each] of tags.entries()) await cache.set([key, i], i, tagged(each));
      const keys = tags.map((_, i) => [key, i]);
      for (const [i, each] of tags.entries()) {
        await cache.invalidateTags([each]);
        expect(await cache.getMany(keys)).toEqual(tags.map((_, j) => (j > i ? j : undefined)));
      }
    });

    it('takes tags of any length', async () => {
      const long = [tag, 'x'.repeat(5_000)];
      await cache.set(key, 'value', tagged(long));
      expect(await cache.get(key)).toBe('value');
      await cache.invalidateTags([long]);
      expect(await cache.get(key)).toBeUndefined();
    });
  });

  describe('tags that are read off the value', () => {
    it('invalidate what was loaded and what was written', async () => {
      const brand = `${tag}-brand`;
      await settled(cache, () => cache.getOrSet(key, () => ({ id: 1, brand }), byBrand));
      await cache.set([key, 'set'], { id: 2, brand }, byBrand);
      await cache.setMany([[[key, 'many'], { id: 3, brand }]], byBrand as never);
      expect((await cache.getMany([key, [key, 'set'], [key, 'many']])).every((found) => found !== undefined)).toBe(
        true,
      );
      await cache.invalidateTags([['brand', brand]]);
      expect(await cache.getMany([key, [key, 'set'], [key, 'many']])).toEqual([undefined, undefined, undefined]);
    });

    it('follow the value', async () => {
      await cache.set(key, { ...lamp, brand: `${tag}-old` }, byBrand);
      await cache.set(key, { ...lamp, brand: `${tag}-new` }, byBrand);
      await cache.invalidateTags([['brand', `${tag}-old`]]);
      expect(await cache.get(key)).toEqual({ ...lamp, brand: `${tag}-new` });
    });

    it('kill a value that was being loaded when one of them was invalidated', async () => {
      const brand = `${tag}-brand`;
      const outcome = await settled(cache, () =>
        cache.getOrSet(
          key,
          async () => {
            await cache.invalidateTags([['brand', brand]]);
            return { id: 1, brand };
          },
          byBrand,
        ),
      );
      expect(outcome).toBe('overtaken');
      expect(await cache.get(key)).toBeUndefined();
    });
  });

  describe('a load during which its tag is invalidated', () => {
    it('gives its caller the value, and is dead on arrival for everybody else', async () => {
      const load = jest.fn(async () => {
        await cache.invalidateTags([tag]);
        return 'old';
      });
      await settled(cache, () => cache.getOrSet(key, load, tagged(tag)));
      expect(await cache.get(key)).toBeUndefined();
      expect(await cache.getOrSet(key, () => 'new', tagged(tag))).toBe('new');
    });

    it('is not given to a caller that came after the invalidation', async () => {
      let finish: (value: string) => void = () => undefined;
      const load = jest.fn(() => new Promise<string>((resolve) => (finish = resolve)));
      const first = cache.getOrSet(key, load, tagged(tag));
      await eventually(() => expect(load).toHaveBeenCalledTimes(1));
      await cache.invalidateTags([tag]);
      const second = cache.getOrSet(key, () => 'new', tagged(tag));
      finish('old');
      expect(await first).toBe('old');
      expect(await second).toBe('new');
    });
  });

  describe('set', () => {
    it('is read under its tags from then on, and no longer under those it had before', async () => {
      await cache.set(key, 'one', tagged(`${tag}-one`));
      await cache.set(key, 'two', tagged(`${tag}-two`));
      await cache.invalidateTags([`${tag}-one`]);
      expect(await cache.get(key)).toBe('two');
      await cache.invalidateTags([`${tag}-two`]);
      expect(await cache.get(key)).toBeUndefined();
    });
  });

  it('counts what died by a tag, and each invalidation once', async () => {
    const before = { ...cache.counters };
    await cache.set(key, 1, tagged(tag));
    await cache.invalidateTags([tag, 'more']);
    await cache.getOrSet(key, () => 2, tagged(tag));
    expect(cache.counters).toMatchObject({
      deadByTag: before.deadByTag + 1,
      invalidations: before.invalidations + 1,
      misses: before.misses + 1,
      loads: before.loads + 1,
    });
  });

  it('holds 300 tags on one entry', async () => {
    const tags = Array.from({ length: 300 }, (_, i) => [tag, i]);
    await settled(cache, () => cache.getOrSet(key, () => 'many', { tags }));
    expect(await cache.get(key)).toBe('many');
    await cache.invalidateTags([[tag, 299]]);
    expect(await cache.get(key)).toBeUndefined();
  });

  it('refuses more tags than an entry can hold, and says how many that is', async () => {
    const tags = Array.from({ length: 2_000 }, (_, i) => [tag, i]);
    const refusal = {
      code: 'ROOKERY_CONFIGURATION',
      message: expect.stringMatching(/^The 2000 tags of an entry take \d+ bytes, and it carries 16383 at most/),
    };
    await expect(cache.set(key, 'too many', { tags })).rejects.toMatchObject(refusal);
    await expect(cache.getOrSet(key, () => 'too many', { tags, backoff: false })).rejects.toMatchObject(refusal);
    expect(await cache.get(key)).toBeUndefined();
    await eventually(async () => expect(await cache.getOrSet(key, () => 'fewer')).toBe('fewer'));
  });
});

describeCaches((world) => {
  const topology = world.topology as SharedTopology;
  const other = redisCli(topology);
  let app: TestingModule;
  let cache: CacheService;
  let elsewhere: CacheService;
  let tag: string;
  let key: string;
  let names = 0;

  beforeAll(async () => {
    app = await world.open();
    cache = cacheOf(app);
    elsewhere = cacheOf(await world.open());
  });

  beforeEach(() => {
    names += 1;
    tag = `tag-${names}`;
    key = `key-${names}`;
  });

  const tagged = (...tags: CacheTag[]): { readonly tags: CacheTag[] } => ({ tags });
  const tagKey = (): string => `${world.prefix}:cache:default:tags:{default}:tag:${tag}`;
  const ttlOf = (redisKey: string): Promise<number> => other.client.pttl(redisKey);

  it('reaches values in the memory of another process', async () => {
    await cache.set(key, 'old', tagged(tag));
    await readUntilInMemory(world, elsewhere, key);
    expect(await elsewhere.get(key)).toBe('old');
    await cache.invalidateTags([tag]);
    await world.elsewhere(async () => expect(await elsewhere.get(key)).toBeUndefined());
  });

  it.each([
    ['known before the load', (t: string) => ({ tags: [t] })],
    ['read off the value', (t: string) => ({ tags: () => [t] })],
  ])('kills a value that another process was loading, by a tag %s', async (_name, options) => {
    const outcome = await settled(cache, () =>
      cache.getOrSet(
        key,
        async () => {
          expect(await elsewhere.invalidateTags([tag])).toBe(true);
          return 'old';
        },
        options(tag),
      ),
    );
    // It may be stored with the token from before, or not at all: nobody reads it in either case.
    expect(['stored', 'overtaken']).toContain(outcome);
    expect(await elsewhere.get(key)).toBeUndefined();
    expect(await cache.get(key)).toBeUndefined();
  });

  it('does not show what this process has just loaded, and has not stored yet, once its tag is invalidated', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { settle } = RedisStore.prototype;
    const slow = jest.spyOn(RedisStore.prototype, 'settle').mockImplementationOnce(async function (
      this: RedisStore,
      ...args
    ) {
      await held;
      return settle.apply(this, args);
    });
    try {
      await cache.getOrSet(key, () => 'old', tagged(tag));
      expect(await cache.get(key)).toBe('old');
      await cache.invalidateTags([tag]);
      expect(await cache.get(key)).toBeUndefined();
      expect(await cache.getOrSet([key], () => 'new', tagged(tag))).toBe('new');
    } finally {
      release();
      slow.mockRestore();
    }
  });

  it('lets another process store values under the tag right after the invalidation', async () => {
    await elsewhere.set([key, 'before'], 1, tagged(tag));
    await elsewhere.get([key, 'before']);
    await cache.invalidateTags([tag]);
    await elsewhere.set(key, 'new', tagged(tag));
    expect(await cache.get(key)).toBe('new');
    expect(await elsewhere.get(key)).toBe('new');
  });

  it('stores what another process loads under a tag of the value right after the invalidation', async () => {
    const options = { tags: () => [tag] };
    await settled(elsewhere, () => elsewhere.getOrSet([key, 'before'], () => 1, options));
    await cache.invalidateTags([tag]);
    expect(await settled(elsewhere, () => elsewhere.getOrSet(key, () => 'new', options))).toBe('stored');
    expect(await cache.get(key)).toBe('new');
  });

  it('takes a missing token for a miss, and never revives what rested on it', async () => {
    await cache.set(key, 'old', tagged(tag));
    await other.client.unlink(tagKey());
    await world.elsewhere(async () => expect(await elsewhere.get(key)).toBeUndefined());
    await elsewhere.set([key, 'more'], 'new', tagged(tag));
    await world.elsewhere(async () => expect(await cache.get(key)).toBeUndefined());
    expect(await elsewhere.get(key)).toBeUndefined();
    await world.elsewhere(async () => expect(await cache.get([key, 'more'])).toBe('new'));
  });

  it('keeps tokens for as long as entries need them, and not for longer than twice that', async () => {
    await cache.set(key, 1, { ttl: '10m', tags: [tag] });
    await eventually(async () => expect(await ttlOf(tagKey())).toBeGreaterThan(600_000 - 5_000));
    expect(await ttlOf(tagKey())).toBeLessThanOrEqual(1_200_000);
    await settled(cache, () => cache.getOrSet([key, 'longer'], () => 1, { ttl: '1h', tags: [tag] }));
    await eventually(async () => expect(await ttlOf(tagKey())).toBeGreaterThan(3_600_000 - 5_000));
    expect(await ttlOf(tagKey())).toBeLessThanOrEqual(7_200_000);
  });

  it('keeps the token of a short-lived entry for a minute at most', async () => {
    await cache.set(key, 1, { ttl: '1s', tags: [tag] });
    expect(await ttlOf(tagKey())).toBeGreaterThan(29_000);
    expect(await ttlOf(tagKey())).toBeLessThanOrEqual(60_000);
  });

  it('keeps all tags of a cache in one slot, so that they are asked for together', async () => {
    await cache.set(key, 1, tagged([tag, 1], [tag, 2], [tag, 3]));
    const redis = app.get(RedisConnections).get();
    const all = await keysUnder(topology, `${world.prefix}:cache:default:tags:`);
    const keys = all.filter((each) => each.includes(`:${tag}:`));
    expect(keys).toHaveLength(3);
    expect(new Set(keys.map((each) => redis.groupOf(each))).size).toBe(1);
  });

  it('invalidates any number of entries and tags with one command', async () => {
    const { counters } = app.get(RedisConnections).get();
    await cache.setMany(
      Array.from({ length: 500 }, (_, i) => [[key, i], i] as const),
      tagged([tag, 1], [tag, 2]),
    );
    await cache.invalidateTags(['warm']);
    const before = counters.commands;
    await cache.invalidateTags([
      [tag, 1],
      [tag, 2],
      [tag, 3],
    ]);
    expect(counters.commands - before).toBe(1);
    expect((await cache.getMany(Array.from({ length: 500 }, (_, i) => [key, i]))).filter(Boolean)).toEqual([]);
  });
});

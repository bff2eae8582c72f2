import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { CacheService, type Cache, type CacheModuleOptions } from '../../../src/cache/index.js';
import type { createKeyv } from '../../../src/cache/keyv/index.js';
import { structuredCodec } from '../../../src/core/index.js';
import { eventually } from '../../../src/testing/index.js';
import { cacheApp } from '../../support/cache-app.js';
import { randomPrefix, sharedRedis, type SharedTopology } from '../../support/redis.js';

const FOREVER: readonly (number | undefined)[] = [undefined, 0, Infinity];

interface Place {
  readonly redis: SharedTopology;
  readonly cache: CacheModuleOptions;
}

const PLACES: readonly (readonly [string, Place])[] = [
  ['on standalone', { redis: 'standalone', cache: {} }],
  ['on cluster', { redis: 'cluster', cache: {} }],
  ['with a memory tier', { redis: 'standalone', cache: { memory: true } }],
  ['in this process alone', { redis: 'standalone', cache: { store: 'memory' } }],
];

/** What Keyv and its users count on, whichever major version of Keyv stands in between, wherever the cache keeps its entries. */
export function keyvContract(create: typeof createKeyv): void {
  describe.each(PLACES)('%s', (_name, place) => {
    const prefix = randomPrefix();
    const apps: TestingModule[] = [];
    let cache: CacheService;
    let elsewhere: CacheService;
    let short: Cache;
    let namespace: string;
    let namespaces = 0;

    async function open(): Promise<CacheService> {
      const app = await cacheApp({
        redis: sharedRedis(place.redis),
        cache: place.cache,
        prefix,
        caches: [
          { name: 'short', ttl: '300ms' },
          { name: 'exact', codec: structuredCodec },
        ],
      });
      apps.push(app);
      return app.get(CacheService);
    }

    beforeAll(async () => {
      cache = await open();
      elsewhere = place.cache.store === 'memory' ? cache : await open();
      short = cache.named('short');
    });

    beforeEach(() => {
      namespaces += 1;
      namespace = `namespace-${namespaces}`;
    });

    afterAll(async () => {
      for (const app of apps) await app.close();
    });

    it('shows every process what one of them stored', async () => {
      const keyv = create(cache, { namespace });
      const other = create(elsewhere, { namespace });
      for (const value of [null, false, 0, '', 'text', ['a'], { id: 1, of: { name: 'Lamp' } }]) {
        expect(await keyv.set('key', value)).toBe(true);
        await eventually(async () => expect(await other.get('key')).toEqual(value));
      }
    });

    it('has nothing under a key that was never set', async () => {
      const keyv = create(cache, { namespace });
      expect(await keyv.get('never')).toBeUndefined();
      expect(await keyv.has('never')).toBe(false);
    });

    it('reads many keys in their order, undefined where there is nothing', async () => {
      const keyv = create(cache, { namespace });
      await keyv.set('a', 1);
      await keyv.set('c', null);
      expect(await keyv.get(['a', 'b', 'c'])).toEqual([1, undefined, null]);
      expect(await keyv.has(['a', 'b', 'c'])).toEqual([true, false, true]);
    });

    it('writes many entries, each with a TTL of its own', async () => {
      const keyv = create(short);
      const keys = [`${namespace}-brief`, `${namespace}-long`];
      expect(
        await keyv.setMany([
          { key: keys[0] as string, value: 1, ttl: 100 },
          { key: keys[1] as string, value: 2, ttl: 60_000 },
        ]),
      ).toEqual([true, true]);
      await eventually(async () => expect(await short.get(keys[0] as string)).toBeUndefined());
      expect(await keyv.get(keys)).toEqual([undefined, 2]);
    });

    it('says of a delete whether there was something to delete', async () => {
      const keyv = create(cache, { namespace });
      await keyv.set('key', 'value');
      expect(await keyv.delete('key')).toBe(true);
      expect(await keyv.get('key')).toBeUndefined();
      expect(await keyv.delete('key')).toBe(false);
    });

    it('deletes many keys', async () => {
      const keyv = create(cache, { namespace });
      await keyv.set('a', 1);
      await keyv.set('b', 2);
      expect([await keyv.delete(['a', 'b', 'never'])].flat()).toContain(true);
      expect([await keyv.delete(['a', 'b', 'never'])].flat()).not.toContain(true);
      expect(await keyv.get(['a', 'b'])).toEqual([undefined, undefined]);
    });

    it('drops an entry at the end of its TTL, which counts milliseconds', async () => {
      const keyv = create(cache);
      await keyv.set(namespace, 'value', 200);
      expect(await cache.get(namespace)).toBeDefined();
      await eventually(async () => expect(await cache.get(namespace)).toBeUndefined());
    });

    it.each(FOREVER)("keeps a value with a TTL of %p for the cache's own TTL", async (ttl) => {
      const keyv = create(short);
      // Once more, when the machine stands still between the two for longer than the TTL.
      await eventually(async () => {
        expect(await keyv.set(namespace, 'value', ttl)).toBe(true);
        expect(await keyv.get(namespace)).toBe('value');
      });
      await eventually(async () => expect(await keyv.get(namespace)).toBeUndefined());
    });

    it.each([0.5, 1234.5, Number.MAX_SAFE_INTEGER, 1e300])('takes a TTL of %p ms', async (ttl) => {
      const keyv = create(cache, { namespace });
      expect(await keyv.set('key', 'value', ttl)).toBe(true);
    });

    it('tells when an entry expires, for those who refresh it before', async () => {
      const keyv = create(cache, { namespace });
      await keyv.set('key', 'value', 60_000);
      const { expires } = (await keyv.getRaw('key')) ?? {};
      expect(expires).toBeGreaterThan(Date.now() + 50_000);
      expect(expires).toBeLessThanOrEqual(Date.now() + 60_000);
      expect(await keyv.getManyRaw(['key', 'never'])).toEqual([{ value: 'value', expires }, undefined]);
    });

    it('keeps keys and namespaces apart that would be one string if they were joined', async () => {
      const places = [
        { of: create(cache, { namespace: `${namespace}:a` }), key: 'b' },
        { of: create(cache, { namespace }), key: 'a:b' },
        { of: create(cache, { namespace }), key: `${namespace}:a:b` },
        { of: create(cache), key: `${namespace}:a:b` },
        { of: create(cache, { namespace: `{${namespace}}` }), key: 'a:b' },
        { of: create(cache, { namespace: `${namespace}*` }), key: 'a:b' },
      ];
      for (const [index, { of, key }] of places.entries()) await of.set(key, index);
      expect(await Promise.all(places.map(({ of, key }) => of.get(key)))).toEqual(places.map((_, index) => index));
      expect(await Promise.all(places.map(async ({ of, key }) => (await of.get([key]))[0]))).toEqual(
        places.map((_, index) => index),
      );
    });

    it('clears its namespace and nothing else', async () => {
      const keyv = create(cache, { namespace });
      const neighbour = create(cache, { namespace: `${namespace}:neighbour` });
      const rest = create(cache);
      for (const each of [keyv, neighbour, rest]) await each.set('key', 'value');
      await cache.set([namespace, 'own'], 'value');

      await keyv.clear();
      expect(await keyv.get('key')).toBeUndefined();
      await eventually(async () => expect(await create(elsewhere, { namespace }).get('key')).toBeUndefined());
      expect(await neighbour.get('key')).toBe('value');
      expect(await rest.get('key')).toBe('value');
      expect(await cache.get([namespace, 'own'])).toBe('value');
      expect(await keyv.set('key', 'again')).toBe(true);
      expect(await keyv.get('key')).toBe('again');
    });

    it('is cleared with the segment of its name', async () => {
      const keyv = create(cache, { namespace });
      await keyv.set('key', 'value');
      await cache.invalidateSegment(namespace);
      expect(await keyv.get('key')).toBeUndefined();
    });

    it('clears the whole cache where it has no namespace, but no other cache', async () => {
      const keyv = create(short);
      await keyv.set('key', 'value', 60_000);
      await short.set('own', 'value', { ttl: '1m' });
      await cache.set(namespace, 'value');
      await keyv.clear();
      expect(await short.getMany(['key', 'own'])).toEqual([undefined, undefined]);
      expect(await cache.get(namespace)).toBe('value');
    });

    it("encodes values once, with the cache's codec", async () => {
      const exact = cache.named('exact');
      const value = { at: new Date(0), bytes: Buffer.from([0, 255]), tags: new Set(['a']) };
      const keyv = create(exact, { namespace });
      await keyv.set('key', value, 60_000);
      expect(await keyv.get('key')).toEqual(value);
      expect(await exact.segment(namespace).get('key')).toEqual({ value, expires: expect.any(Number) });
    });

    it('refuses a value that the codec cannot keep, and says so', async () => {
      const keyv = create(cache, { namespace });
      const errors: unknown[] = [];
      keyv.on('error', (error: unknown) => errors.push(error));
      expect(await keyv.set('key', { size: 1n })).toBe(false);
      expect(errors).toEqual([expect.objectContaining({ name: 'EncodeError' })]);
      expect(await keyv.get('key')).toBeUndefined();
    });

    it('leaves the connection to its owner', async () => {
      const keyv = create(cache, { namespace });
      await keyv.disconnect();
      expect(await keyv.set('key', 'value')).toBe(true);
    });
  });

  describe('without Redis', () => {
    it('misses, stores nothing, and neither rejects nor emits an error', async () => {
      const app = await cacheApp({ redis: { url: 'redis://127.0.0.1:1' }, cache: { redisDeadline: '50ms' } });
      const keyv = create(app.get(CacheService), { namespace: 'down' });
      const errors: unknown[] = [];
      keyv.on('error', (error: unknown) => errors.push(error));

      expect(await keyv.get('key')).toBeUndefined();
      expect(await keyv.get(['key', 'other'])).toEqual([undefined, undefined]);
      expect(await keyv.has('key')).toBe(false);
      expect(await keyv.set('key', 'value')).toBe(false);
      expect(await keyv.setMany([{ key: 'key', value: 'value' }])).toEqual([false]);
      expect(await keyv.delete('key')).toBe(false);
      expect([await keyv.delete(['key'])].flat()).toEqual([false]);
      await keyv.clear();
      await create(app.get(CacheService)).clear();
      expect(errors).toEqual([]);
      await app.close();
    });
  });
}

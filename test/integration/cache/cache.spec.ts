import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import type { Cache } from '../../../src/cache/index.js';
import { CacheService, cacheToken } from '../../../src/cache/index.js';
import { encodeKey } from '../../../src/core/keys/key-encoding.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import { EncodeError } from '../../../src/core/codec/codec.errors.js';
import { structuredCodec } from '../../../src/core/codec/structured.codec.js';
import { eventually } from '../../../src/testing/index.js';
import { cacheApp } from '../../support/cache-app.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  keysUnder,
  randomPrefix,
  sharedRedis,
} from '../../support/redis.js';

expectNoLeakedConnections();

class NotFound extends Error {}

describeTopologies((topology) => {
  const prefix = randomPrefix();
  let app: TestingModule;
  let otherProcess: TestingModule;
  let cache: CacheService;
  let redis: RedisConnection;
  let key: string;
  let keys = 0;

  beforeAll(async () => {
    const options = {
      redis: sharedRedis(topology),
      prefix,
      caches: [
        { name: 'products', ttl: '1h' as const },
        { name: 'exact', codec: structuredCodec },
      ],
    };
    app = await cacheApp(options);
    otherProcess = await cacheApp(options);
    cache = app.get(CacheService);
    redis = app.get(RedisConnections).get();
  });

  beforeEach(() => {
    keys += 1;
    key = `key-${keys}`;
  });

  afterAll(async () => {
    await expectEveryKeyExpires(topology, prefix);
    await app.close();
    await otherProcess.close();
  });

  const entryOf = (name: string, parts: unknown): string => `${prefix}:cache:${name}:{${encodeKey([parts as string])}}`;
  const ttlOf = async (entry: string): Promise<number> => (await redis.send('PTTL', [entry])) as number;

  describe('getOrSet', () => {
    it('loads once and then answers from Redis, also in another process', async () => {
      const load = jest.fn(async () => ({ id: 1, name: 'Lamp' }));
      expect(await cache.getOrSet(key, load)).toEqual({ id: 1, name: 'Lamp' });
      expect(await cache.getOrSet(key, load)).toEqual({ id: 1, name: 'Lamp' });
      await eventually(async () =>
        expect(await otherProcess.get(CacheService).get(key)).toEqual({ id: 1, name: 'Lamp' }),
      );
      expect(load).toHaveBeenCalledTimes(1);
    });

    it('shows this process what it has just loaded, before Redis has it', async () => {
      await redis.send('SCRIPT', ['FLUSH']);
      await cache.getOrSet(key, () => 'loaded');
      const { hits, misses } = cache.counters;
      expect(await cache.get(key)).toBe('loaded');
      expect(await cache.getOrSet(key, () => 'again')).toBe('loaded');
      expect(cache.counters).toMatchObject({ hits: hits + 2, misses });
    });

    it('takes a loader that returns its value without a promise', async () => {
      expect(await cache.getOrSet(key, () => 5)).toBe(5);
    });

    it.each([
      ['null', null],
      ['false', false],
      ['zero', 0],
      ['an empty string', ''],
      ['an empty list', []],
    ])('caches %s as itself', async (_name, value) => {
      const load = jest.fn(() => value);
      expect(await cache.getOrSet(key, load)).toEqual(value);
      await eventually(async () => expect(await otherProcess.get(CacheService).get(key)).toEqual(value));
      expect(await cache.getOrSet(key, load)).toEqual(value);
      expect(load).toHaveBeenCalledTimes(1);
    });

    it.each(['default', 'exact'])('does not cache undefined, whatever the codec of the cache: %s', async (name) => {
      const named = cache.named(name);
      const { unencodable } = named.counters;
      const load = jest.fn((): unknown => undefined);
      for (let i = 0; i < 2; i++) expect(await named.getOrSet(key, load)).toBeUndefined();
      expect(load).toHaveBeenCalledTimes(2);
      expect(named.counters.unencodable).toBe(unencodable);
    });

    it('does not cache what unless() excludes', async () => {
      const load = jest.fn(() => 'draft');
      await cache.getOrSet(key, load, { unless: (value) => value === 'draft' });
      await cache.getOrSet(key, load, { unless: (value) => value === 'draft' });
      expect(load).toHaveBeenCalledTimes(2);
    });

    it('runs one load for 50 concurrent callers of a cold key', async () => {
      const load = jest.fn(async () => ({ price: 5 }));
      const values = await Promise.all(Array.from({ length: 50 }, () => cache.getOrSet(key, load)));
      expect(load).toHaveBeenCalledTimes(1);
      expect(values).toEqual(Array.from({ length: 50 }, () => ({ price: 5 })));
    });

    it('runs one load for callers that arrive while it runs', async () => {
      let finish: (value: string) => void = () => undefined;
      const load = jest.fn(() => new Promise<string>((resolve) => (finish = resolve)));
      const first = cache.getOrSet(key, load);
      await eventually(() => expect(load).toHaveBeenCalledTimes(1));
      const second = cache.getOrSet(key, load);
      finish('value');
      expect(await Promise.all([first, second])).toEqual(['value', 'value']);
      expect(load).toHaveBeenCalledTimes(1);
    });

    it("shares a failing load among 50 concurrent callers, and hands on the loader's own error", async () => {
      const failure = new NotFound('no such product');
      const load = jest.fn(async (): Promise<string> => {
        throw failure;
      });
      const results = await Promise.allSettled(Array.from({ length: 50 }, () => cache.getOrSet(key, load)));
      expect(load).toHaveBeenCalledTimes(1);
      expect(results.every((result) => result.status === 'rejected' && result.reason === failure)).toBe(true);
    });

    it('tries again after a failure, once the loader has been left alone for half a second', async () => {
      const load = jest.fn(() => Promise.reject(new NotFound()));
      await expect(cache.getOrSet(key, load)).rejects.toBeInstanceOf(NotFound);
      await expect(cache.getOrSet(key, load)).rejects.toBeInstanceOf(NotFound);
      expect(load).toHaveBeenCalledTimes(1);
      await eventually(async () => expect(await cache.getOrSet(key, () => 'found')).toBe('found'));
    });

    it('returns a value that cannot be encoded, and counts it', async () => {
      const before = cache.counters.unencodable;
      const cyclic: { self?: unknown } = {};
      cyclic.self = cyclic;
      expect(await cache.getOrSet(key, () => cyclic)).toBe(cyclic);
      expect(cache.counters.unencodable).toBe(before + 1);
    });

    it('treats bytes that it cannot decode as absent, counts them and replaces them', async () => {
      const before = cache.counters.unreadable;
      await redis.send('SET', [entryOf('default', key), '{"half":', 'EX', 60]);
      expect(await cache.getOrSet(key, () => 'fresh')).toBe('fresh');
      await eventually(async () => expect(await otherProcess.get(CacheService).get(key)).toBe('fresh'));
      expect(cache.counters.unreadable).toBe(before + 1);
    });

    it('treats a key of another Redis type as absent, and leaves it alone', async () => {
      await redis.send('RPUSH', [entryOf('default', key), 'a']);
      expect(await cache.getOrSet(key, () => 'fresh')).toBe('fresh');
      expect(await redis.send('TYPE', [entryOf('default', key)])).toEqual(Buffer.from('list'));
      await redis.send('UNLINK', [entryOf('default', key)]);
    });

    it('does not overwrite what another process wrote during the load', async () => {
      await cache.getOrSet(key, async () => {
        await otherProcess.get(CacheService).set(key, 'newer');
        return 'older';
      });
      await eventually(async () => expect(await cache.get(key)).toBe('newer'));
    });

    it('does not bring back an entry that this process deleted during the load', async () => {
      await cache.getOrSet(key, async () => {
        await cache.delete(key);
        return 'older';
      });
      expect(await cache.get(key)).toBeUndefined();
      expect(await keysUnder(topology, entryOf('default', key).replace(/[{}]/g, '?'))).toEqual([]);
    });

    it('does not bring back an entry that was deleted while it was being stored on a server that had lost the script', async () => {
      await redis.send('SCRIPT', ['FLUSH']);
      await cache.getOrSet(key, () => 'older');
      await cache.delete(key);
      expect(await otherProcess.get(CacheService).get(key)).toBeUndefined();
    });

    // The script that evicts then comes to the server later than the reads that followed it.
    describe('that is being evicted, on a server that has lost the script', () => {
      beforeEach(async () => {
        // Nothing of these tests is under way any more.
        await eventually(async () => expect(await cache.set(key, 'old')).toBe(true));
      });

      it('is not handed out any more', async () => {
        await redis.send('SCRIPT', ['FLUSH']);
        const evicted = cache.delete(key);
        const reads = [cache.get(key), cache.getOrSet(key, () => 'new')];
        expect(await Promise.all(reads)).toEqual([undefined, 'new']);
        expect(await evicted).toBe(true);
      });

      it('is not joined while it is being stored', async () => {
        await cache.delete(key);
        await redis.send('SCRIPT', ['FLUSH']);
        expect(await cache.getOrSet(key, () => 'old')).toBe('old');
        const evicted = cache.delete(key);
        const reads = [cache.get(key), cache.getOrSet(key, () => 'new')];
        expect(await Promise.all(reads)).toEqual([undefined, 'new']);
        expect(await evicted).toBe(true);
      });

      it('is loaded once for all who come after', async () => {
        const evicted = cache.delete(key);
        const load = jest.fn(async () => 'new');
        const reads = Array.from({ length: 50 }, () => cache.getOrSet(key, load));
        expect(new Set(await Promise.all(reads))).toEqual(new Set(['new']));
        expect(load).toHaveBeenCalledTimes(1);
        expect(await evicted).toBe(true);
      });

      it('is not good any more by a tag either', async () => {
        const options = { tags: [`tag of ${key}`] };
        await cache.set(key, 'old', options);
        await redis.send('SCRIPT', ['FLUSH']);
        const invalidated = cache.invalidateTags(options.tags);
        const reads = [cache.get(key), cache.getOrSet(key, () => 'new', options)];
        expect(await Promise.all(reads)).toEqual([undefined, 'new']);
        expect(await invalidated).toBe(true);
      });
    });

    it('rejects, rather than throws, for a key that cannot be encoded', async () => {
      await expect(
        cache.getOrSet(
          () => undefined,
          () => 1,
        ),
      ).rejects.toMatchObject({ code: 'ROOKERY_KEY_ENCODING' });
    });
  });

  describe('get and set', () => {
    it('gives back what was set', async () => {
      expect(await cache.set(key, { a: [1, 2] })).toBe(true);
      expect(await cache.get(key)).toEqual({ a: [1, 2] });
    });

    it('knows a number from its digits, and a list from its text', async () => {
      await cache.set(1, 'number');
      await cache.set('1', 'text');
      await cache.set(['1', 1], 'list');
      expect(await cache.getMany([1, '1', ['1', 1], [['1', 1]]])).toEqual(['number', 'text', 'list', undefined]);
    });

    it('refuses a value that the codec cannot keep, and leaves the entry as it was', async () => {
      await cache.set(key, 'before');
      await expect(cache.set(key, 10n)).rejects.toBeInstanceOf(EncodeError);
      await expect(cache.set(key, undefined)).rejects.toBeInstanceOf(EncodeError);
      expect(await cache.get(key)).toBe('before');
    });

    it('keeps named caches apart', async () => {
      const products = app.get<Cache>(cacheToken('products'));
      await cache.set(key, 'default');
      await products.set(key, 'products');
      expect(await cache.get(key)).toBe('default');
      expect(await products.get(key)).toBe('products');
      expect(cache.named('products')).toBe(products);
    });

    it('keeps what JSON loses when the cache has the structured codec', async () => {
      const exact = cache.named('exact');
      const value = { at: new Date(5), tags: new Map([['a', new Set([1n])]]), bytes: Buffer.from([0, 255]) };
      await exact.set(key, value);
      expect(await exact.get(key)).toStrictEqual(value);
    });

    it('treats entries of another codec as absent', async () => {
      const before = cache.counters.unreadable;
      await cache.named('exact').set(key, 'structured');
      const bytes = (await redis.get(entryOf('exact', key))) as Buffer;
      await redis.send('SET', [entryOf('default', key), bytes, 'EX', 60]);
      expect(await cache.get(key)).toBeUndefined();
      expect(cache.counters.unreadable).toBe(before + 1);
    });

    it('is not misled by a __proto__ property in what it reads', async () => {
      await redis.send('SET', [entryOf('default', key), '\u0001\u0001{"__proto__":{"admin":true}}', 'EX', 60]);
      const value = await cache.get<Record<string, unknown>>(key);
      expect(value?.['admin']).toBeUndefined();
      expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
    });
  });

  describe('expiry', () => {
    it("keeps an entry for the cache's TTL, a call's, or until the given moment, whichever is meant", async () => {
      const products = cache.named('products');
      await products.set([key, 'own'], 1);
      await products.set([key, 'call'], 1, { ttl: '10m' });
      await products.set([key, 'until'], 1, { expiresAt: new Date(Date.now() + 120_000) });
      await products.set([key, 'sooner'], 1, { ttl: '10s', expiresAt: new Date(Date.now() + 120_000) });
      const ttl = (part: string): Promise<number> => ttlOf(`${prefix}:cache:products:{${encodeKey([key, part])}}`);
      for (const [part, longest] of [
        ['own', 3_600_000],
        ['call', 600_000],
        ['until', 120_000],
        ['sooner', 10_000],
      ] as const) {
        const ttlMs = await ttl(part);
        expect(ttlMs).toBeLessThanOrEqual(longest);
        expect(ttlMs).toBeGreaterThan(longest - 9_000);
      }
    });

    it('gives loaded values a TTL too', async () => {
      await cache.getOrSet(key, () => 1, { ttl: '10m' });
      await eventually(async () => expect(await ttlOf(entryOf('default', key))).toBeGreaterThan(500_000));
    });

    it('forgets an entry once its TTL is over', async () => {
      await cache.set(key, 'short', { ttl: '30ms' });
      await eventually(async () => expect(await cache.get(key)).toBeUndefined());
    });

    it('does not keep what has already expired, and drops what was there before', async () => {
      await cache.set(key, 'before');
      await cache.set(key, 'late', { expiresAt: new Date(Date.now() - 1) });
      expect(await cache.get(key)).toBeUndefined();
    });

    it('spreads TTLs by the jitter', async () => {
      const ttls = await Promise.all(
        Array.from({ length: 40 }, async (_, i) => {
          await cache.set([key, i], i, { ttl: '10m', jitter: 0.5 });
          return ttlOf(`${prefix}:cache:default:{${encodeKey([key, i])}}`);
        }),
      );
      expect(Math.max(...ttls)).toBeLessThanOrEqual(600_000);
      expect(Math.min(...ttls)).toBeGreaterThan(290_000);
      expect(Math.max(...ttls) - Math.min(...ttls)).toBeGreaterThan(60_000);
    });

    it('refuses a jitter that makes no sense', async () => {
      await expect(cache.set(key, 1, { jitter: 2 })).rejects.toMatchObject({ code: 'ROOKERY_CONFIGURATION' });
    });
  });

  describe('getMany and setMany', () => {
    it('writes and reads many, in the order of the keys', async () => {
      const wanted = Array.from({ length: 200 }, (_, i) => [key, i] as const);
      expect(await cache.setMany(wanted.map((part) => [[...part], { i: part[1] }]))).toBe(true);
      const found = await cache.getMany([...wanted.map((part) => [...part]), [key, 'unknown']]);
      expect(found).toEqual([...wanted.map(([, i]) => ({ i })), undefined]);
    });

    it('writes nothing when one value cannot be encoded', async () => {
      await expect(
        cache.setMany([
          [[key, 1], 'fine'],
          [[key, 2], 10n],
        ]),
      ).rejects.toBeInstanceOf(EncodeError);
      expect(
        await cache.getMany([
          [key, 1],
          [key, 2],
        ]),
      ).toEqual([undefined, undefined]);
    });

    it('takes and gives nothing', async () => {
      expect(await cache.getMany([])).toEqual([]);
      expect(await cache.setMany([])).toBe(true);
    });
  });

  describe('delete', () => {
    it('evicts for every process', async () => {
      await cache.set(key, 'value');
      expect(await otherProcess.get(CacheService).delete(key)).toBe(true);
      expect(await cache.get(key)).toBeUndefined();
    });
  });
});

describe('what it costs', () => {
  let app: TestingModule;

  beforeAll(async () => {
    app = await cacheApp({ redis: sharedRedis('standalone') });
  });

  afterAll(() => app.close());

  it('reads 64 keys in one command, and a getMany of 100 in two', async () => {
    const cache = app.get(CacheService);
    const { counters } = app.get(RedisConnections).get();
    const keys = Array.from({ length: 100 }, (_, i) => i);
    await cache.setMany(keys.map((i) => [i, i]));
    const read = (): Promise<unknown> => Promise.all(keys.slice(0, 64).map((i) => cache.getOrSet(i, () => 'unused')));
    // The server may not know the script yet.
    await read();
    let before = counters.commands;
    await read();
    expect(counters.commands - before).toBe(1);
    before = counters.commands;
    await cache.getMany(keys);
    expect(counters.commands - before).toBe(2);
  });
});

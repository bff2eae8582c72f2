import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import type { Cluster, Redis } from 'ioredis';
import type { Cache, CacheService } from '../../../src/cache/index.js';
import { structuredCodec } from '../../../src/core/codec/structured.codec.js';
import { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import { eventually, FakeClock, startRedis } from '../../../src/testing/index.js';
import { cacheApp } from '../../support/cache-app.js';
import {
  cacheOf,
  CacheWorld,
  describeStores,
  readUntilInMemory,
  redisCli,
  settled,
} from '../../support/cache-world.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';

expectNoLeakedConnections();

/** A read that memory answered. */
async function fromMemory(cache: Cache, key: string | number): Promise<unknown> {
  const before = cache.counters.memoryHits;
  const value = await cache.get(key);
  expect(cache.counters.memoryHits).toBe(before + 1);
  return value;
}

describeTopologies((topology) => {
  const world = new CacheWorld(topology, true);
  const cli = redisCli(topology);
  let app: TestingModule;
  let cache: CacheService;
  let key: string;
  let keys = 0;

  beforeAll(async () => {
    app = await world.open({ caches: [{ name: 'one' }, { name: 'two', memory: false }] });
    cache = cacheOf(app);
  });

  afterAll(() => world.close());

  beforeEach(() => {
    keys += 1;
    key = `key-${keys}`;
  });

  const entry = (name = 'default'): string => `${world.prefix}:cache:${name}:{${key}}`;
  const gone = (): Promise<void> =>
    eventually(async () => expect(await cache.get(key)).toBeUndefined(), { every: '1ms' });

  describe('a copy in memory', () => {
    beforeEach(async () => {
      await cache.set(key, 'value');
      await readUntilInMemory(world, cache, key);
      expect(await fromMemory(cache, key)).toBe('value');
    });

    it('costs no command', async () => {
      const { counters } = app.get(RedisConnections).get();
      const before = counters.commands;
      for (let i = 0; i < 100; i++) expect(await cache.getOrSet(key, () => 'unused')).toBe('value');
      expect(counters.commands).toBe(before);
    });

    it('goes when another client deletes the entry', async () => {
      await cli.client.del(entry());
      await gone();
    });

    it('goes when another client overwrites the entry', async () => {
      await cli.client.set(entry(), 'something else', 'PX', 60_000);
      await gone();
    });

    it('goes when the entry expires in Redis', async () => {
      await cli.client.pexpire(entry(), 1);
      // Redis removes, and tells of, what has expired when it comes across it: at once when somebody asks for it.
      await eventually(async () => expect(await cli.client.exists(entry())).toBe(0), { within: '5s' });
      await gone();
    });

    it('goes when the server renames the entry away', async () => {
      await cli.client.rename(entry(), `${entry()}:renamed`);
      await gone();
      await cli.client.del(`${entry()}:renamed`);
    });

    it('gives way to what another process writes', async () => {
      const other = cacheOf(await world.open());
      await other.set(key, 'newer');
      await eventually(async () => expect(await cache.get(key)).toBe('newer'), { every: '1ms' });
    });

    it('gives way at once to what this process writes, deletes or invalidates', async () => {
      await cache.set(key, 'newer');
      expect(await cache.get(key)).toBe('newer');
      await readUntilInMemory(world, cache, key);
      await cache.delete(key);
      expect(await cache.get(key)).toBeUndefined();
    });
  });

  it('does not keep what a reply brings that a change has overtaken', async () => {
    await cache.set(key, 'old');
    const redis = app.get(RedisConnections).get();
    const changed: string[] = [];
    const feed = redis.changes(`${world.prefix}:cache:`);
    await feed.untilLive();
    feed.onChange((each) => changed.push(each));
    // The word of the write above must not be taken for that of the one below.
    await cache.set([key, 'marker'], 1);
    await eventually(() => expect(changed.some((each) => each.includes('marker'))).toBe(true));

    const { client } = redis;
    const nodes = client.isCluster ? (client as Cluster).nodes('master') : [client as Redis];
    const streams = nodes.map((node) => node.stream);
    for (const stream of streams) stream.pause();
    changed.length = 0;
    const overtaken = cache.get(key);
    await new Promise(setImmediate);
    // Sent on another connection after the read has left on its own; the reply to the read now waits in its socket.
    await cli.client.set(entry(), 'not an entry', 'PX', 60_000);
    await eventually(() => expect(changed).toContain(entry()));
    for (const stream of streams) stream.resume();
    // The read was answered before the write: else this shows nothing.
    expect(await overtaken).toBe('old');
    expect(await cache.get(key)).toBeUndefined();
    feed.close();
  });

  it('does not keep what was on its way when a tag was invalidated', async () => {
    await cache.set(key, 'old', { tags: ['tag'] });
    const reading = cache.get(key);
    const invalidating = cache.invalidateTags(['tag']);
    await Promise.all([reading, invalidating]);
    expect(await cache.get(key)).toBeUndefined();
  });

  it('is kept per cache: one has it, another has not', async () => {
    const [one, two] = [cache.named('one'), cache.named('two')];
    await one.set(key, 1);
    await two.set(key, 2);
    await readUntilInMemory(world, one, key);
    expect(await fromMemory(one, key)).toBe(1);
    for (let i = 0; i < 5; i++) expect(await two.get(key)).toBe(2);
    expect(two.counters.memoryHits).toBe(0);
    await cli.client.del(entry('two'));
    expect(await fromMemory(one, key)).toBe(1);
    await cli.client.del(entry('one'));
    await eventually(async () => expect(await one.get(key)).toBeUndefined(), { every: '1ms' });
  });

  it("keeps an entry in memory for no longer than what is left of its time in Redis, and than memory's own TTL", async () => {
    const clock = new FakeClock(Date.now());
    const cache = cacheOf(await world.open({ clock, cache: { memory: { ttl: '20s' } } }));
    await cache.set(key, 'value', { ttl: '30s' });
    await clock.advance('15s');
    await readUntilInMemory(world, cache, key);
    await clock.advance('14s');
    expect(await fromMemory(cache, key)).toBe('value');
    await clock.advance('1s');
    expect(await cache.get(key)).toBeUndefined();

    await cache.set(key, 'value', { ttl: '1h' });
    await readUntilInMemory(world, cache, key);
    await clock.advance('19s');
    expect(await fromMemory(cache, key)).toBe('value');
    await clock.advance('2s');
    const { memoryHits } = cache.counters;
    expect(await cache.get(key)).toBe('value');
    expect(cache.counters.memoryHits).toBe(memoryHits);
  });

  it('holds no more entries than it may', async () => {
    const cache = cacheOf(await world.open({ cache: { memory: { maxEntries: 10 } } }));
    for (let i = 0; i < 30; i++) {
      await cache.set(i, i);
      await readUntilInMemory(world, cache, i);
    }
    const { memoryHits } = cache.counters;
    // From the oldest, so that no read brings back what a later one looks for.
    for (let i = 0; i < 20; i++) expect(await cache.get(i)).toBe(i);
    expect(cache.counters.memoryHits).toBe(memoryHits);
    expect(await fromMemory(cache, 19)).toBe(19);
  });

  it('holds no more bytes than it may, and nothing that is larger by itself', async () => {
    const cache = cacheOf(await world.open({ cache: { memory: { maxBytes: 20_000 } } }));
    for (let i = 0; i < 10; i++) {
      await cache.set([key, i], 'x'.repeat(4_000));
      await readUntilInMemory(world, cache, [key, i]);
    }
    const { memoryHits } = cache.counters;
    for (let i = 0; i < 5; i++) await cache.get([key, i]);
    expect(cache.counters.memoryHits).toBe(memoryHits);
    await cache.set(key, 'x'.repeat(30_000));
    for (let i = 0; i < 5; i++) expect(await cache.get(key)).toHaveLength(30_000);
    expect(cache.counters.memoryHits).toBe(memoryHits);
  });
});

describe("this process's own changes", () => {
  it('are seen in its memory at once, before the word of the server comes', async () => {
    const held = holdBackChanges();
    const app = await cacheApp({ redis: sharedRedis('standalone'), cache: { memory: true } });
    const cache = cacheOf(app);
    const inMemory = async (key: string): Promise<void> => {
      held.release();
      await cache.set(key, 'old', { tags: [key] });
      await readUntilInMemory({ hasMemory: true }, cache, key);
      held.hold();
    };
    for (const [key, change, then] of [
      ['set', () => cache.set('set', 'new'), 'new'],
      ['delete', () => cache.delete('delete'), undefined],
      ['tag', () => cache.invalidateTags(['tag']), undefined],
      ['pattern', () => cache.invalidatePattern(['pattern']), undefined],
      ['through', () => cache.writeThrough('through', () => 'new'), 'new'],
      ['clear', () => cache.clear(), undefined],
    ] as const) {
      await inMemory(key);
      expect(await fromMemory(cache, key)).toBe('old');
      await change();
      expect(await cache.get(key)).toBe(then);
    }
    held.release();
    await app.close();
  });
});

/** From now on connections made here hear of changes when they are released, and not before. */
function holdBackChanges(): { readonly hold: () => void; readonly release: () => void } {
  let isHeld = false;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    isHeld = false;
    for (const tell of waiting.splice(0)) tell();
  };
  const { changes } = RedisConnection.prototype;
  const spy = jest.spyOn(RedisConnection.prototype, 'changes').mockImplementationOnce(function (
    this: RedisConnection,
    prefix,
  ) {
    const feed = changes.call(this, prefix);
    const onChange = feed.onChange.bind(feed);
    feed.onChange = (listener) => onChange((key) => (isHeld ? waiting.push(() => listener(key)) : listener(key)));
    spy.mockRestore();
    return feed;
  });
  return { hold: () => (isHeld = true), release };
}

describe('FLUSHDB', () => {
  it('empties the memory of every process', async () => {
    const server = await startRedis();
    const prefix = randomPrefix();
    const apps = [1, 2].map(() => cacheApp({ redis: server.connectionOptions, prefix, cache: { memory: true } }));
    const [one, two] = (await Promise.all(apps)).map(cacheOf) as [CacheService, CacheService];
    await one.set('key', 'value');
    for (const cache of [one, two]) await readUntilInMemory({ hasMemory: true }, cache, 'key');
    const { memoryFlushes } = one.counters;
    await server.masters[0]?.command('FLUSHDB');
    for (const cache of [one, two]) {
      await eventually(async () => expect(await cache.get('key')).toBeUndefined(), { every: '1ms' });
    }
    expect(one.counters.memoryFlushes).toBeGreaterThan(memoryFlushes);
    for (const app of apps) await (await app).close();
    await server.stop();
  });
});

describeStores((world) => {
  const value = { name: 'Lamp', prices: [1, { amount: 2 }], none: null };
  let cache: CacheService;
  let exact: Cache;
  let key: string;
  let keys = 0;

  beforeAll(async () => {
    cache = cacheOf(await world.open({ caches: [{ name: 'exact', codec: structuredCodec }] }));
    exact = cache.named('exact');
  });

  beforeEach(() => {
    keys += 1;
    key = `key-${keys}`;
  });

  /** What a cold load, a second caller of it, the store and memory hand out. */
  const everywhere = async (from: Cache, make: () => unknown): Promise<unknown[]> => {
    const found: unknown[] = [];
    await settled(from, async () => {
      found.push(...(await Promise.all([from.getOrSet(key, make), from.getOrSet(key, make)])));
      found.push(await from.getOrSet(key, make));
    });
    found.push(await from.getOrSet(key, make));
    await readUntilInMemory(world, from, key);
    found.push(await from.getOrSet(key, make), await from.get(key), ...(await from.getMany([key])));
    found.push(...(await from.getOrSetMany([key], () => [])));
    return found;
  };

  it('has the same types wherever a value comes from, with JSON', async () => {
    const make = (): unknown => ({ ...value, at: new Date(5), map: new Map([[1, 2]]), skipped: undefined });
    const found = await everywhere(cache, make);
    for (const each of found) expect(each).toStrictEqual({ ...value, at: new Date(5).toISOString(), map: {} });
  });

  it('has the same types wherever a value comes from, with the structured codec', async () => {
    const make = (): unknown => ({
      at: new Date(5),
      map: new Map([['a', new Set([1n])]]),
      bytes: Buffer.from([0, 255]),
      none: undefined,
    });
    for (const each of await everywhere(exact, make)) expect(each).toStrictEqual(make());
  });

  it.each([
    ['JSON', () => cache],
    ['the structured codec', () => exact],
  ])('lets no caller change what another is given, with %s', async (_name, from) => {
    const make = (): typeof value => structuredClone(value);
    for (const each of await everywhere(from(), make)) {
      const own = each as { name: string; prices: unknown[] };
      if (world.hasMemory)
        expect(Object.isFrozen(own) && Object.isFrozen(own.prices) && Object.isFrozen(own.prices[1])).toBe(true);
      try {
        own.name = 'changed';
        own.prices.push('changed');
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
      }
    }
    expect(await from().get(key)).toStrictEqual(value);
    expect(await from().getOrSet(key, make)).toStrictEqual(value);
  });

  it('lets no caller change dates, maps and bytes that another is given', async () => {
    const make = () => ({ at: new Date(5), map: new Map([['a', 1]]), bytes: Buffer.from([1, 2]) });
    for (const each of await everywhere(exact, make)) {
      const own = each as ReturnType<typeof make>;
      expect(own).toStrictEqual(make());
      own.at.setTime(0);
      own.map.set('a', 2);
      own.bytes[0] = 9;
    }
    expect(await exact.get(key)).toStrictEqual(make());
  });

  it("is not changed through the loader's own object", async () => {
    const own = structuredClone(value);
    await settled(cache, () => cache.getOrSet(key, () => own));
    own.name = 'changed later';
    expect(await cache.get(key)).toEqual(value);
    const set = structuredClone(value);
    await cache.set([key, 'set'], set);
    set.prices.push(3);
    expect(await cache.get([key, 'set'])).toEqual(value);
  });

  it("leaves the loader's own object unfrozen", async () => {
    const own = structuredClone(value);
    await cache.getOrSet(key, () => own);
    expect(Object.isFrozen(own)).toBe(false);
  });
});

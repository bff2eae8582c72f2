import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { CacheService } from '../../../src/cache/index.js';
import { encodeKey } from '../../../src/core/keys/key-encoding.js';
import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import { eventually, startRedis, startTcpProxy, type RedisNode, type RedisServer } from '../../../src/testing/index.js';
import { cacheApp } from '../../support/cache-app.js';
import { expectNoLeakedConnections, randomPrefix } from '../../support/redis.js';

expectNoLeakedConnections();

const PREFIX = randomPrefix();
const entryOf = (key: string): string => `${PREFIX}:cache:default:{${encodeKey([key])}}`;

let server: RedisServer;
let node: RedisNode;
let app: TestingModule;
let cache: CacheService;
let redis: RedisConnection;

async function start(
  options: Parameters<typeof startRedis>[0] = {},
  redisDeadline: '50ms' | '5s' = '5s',
): Promise<void> {
  server = await startRedis(options);
  node = server.masters[0] as RedisNode;
  app = await cacheApp({ redis: server.connectionOptions, prefix: PREFIX, cache: { redisDeadline } });
  cache = app.get(CacheService);
  redis = app.get(RedisConnections).get();
}

afterEach(async () => {
  await app.close();
  await server.stop();
});

const timed = async <T>(work: Promise<T>): Promise<{ value: T; ms: number }> => {
  const startedMs = performance.now();
  const value = await work;
  return { value, ms: performance.now() - startedMs };
};

describe('a frozen Redis', () => {
  beforeEach(() => start({}, '50ms'));

  it('costs one deadline, then nothing, and is used again as soon as it thaws', async () => {
    await eventually(async () => expect(await cache.set('key', 'cached')).toBe(true));
    await node.pause();

    const first = await timed(cache.getOrSet('first', () => 'loaded'));
    const rest = [];
    for (let i = 0; i < 100; i++) rest.push(await timed(cache.getOrSet(['rest', i], () => 'loaded')));
    expect(first.value).toBe('loaded');
    expect(rest.every(({ value }) => value === 'loaded')).toBe(true);
    await eventually(() =>
      expect(redis.health.status).toMatchObject({ state: 'down', reason: 'the server is silent' }),
    );
    const slowest = Math.max(...rest.map(({ ms }) => ms));
    console.log(`Redis frozen: first call ${first.ms.toFixed(1)} ms, slowest of the next 100 ${slowest.toFixed(2)} ms`);
    expect(redis.counters.deadlinesMissed).toBe(1);

    await node.resume();
    await eventually(async () => expect(await cache.get('key')).toBe('cached'), { within: '2s' });
  });
});

describe('a Redis that is killed', () => {
  beforeEach(() => start({ appendOnly: true, args: { appendfsync: 'always' } }));

  it('leaves every caller with its answer, and the cache heals within 2 s of its return', async () => {
    let stop = false;
    let calls = 0;
    const failures: unknown[] = [];
    const load = Array.from({ length: 16 }, async (_, worker) => {
      for (let i = 0; !stop; i++) {
        await cache
          .getOrSet([worker, i % 50], () => `${worker}/${i % 50}`)
          .then(
            (value) => {
              calls += 1;
              if (value !== `${worker}/${i % 50}`) failures.push(value);
            },
            (error: unknown) => failures.push(error),
          );
        if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    });
    await eventually(() => expect(calls).toBeGreaterThan(1_000));
    await node.kill();
    const callsWhenKilled = calls;
    await eventually(() => expect(calls).toBeGreaterThan(callsWhenKilled + 1_000));
    await node.restart();
    const { hits } = cache.counters;
    await eventually(() => expect(cache.counters.hits).toBeGreaterThan(hits), { within: '2s' });
    stop = true;
    await Promise.all(load);
    expect(failures).toEqual([]);
  });

  it('does not serve, after its return, what was evicted while it was away', async () => {
    await cache.set('evicted', 'old');
    await cache.set('written', 'old');
    await node.kill();
    expect(await cache.delete('evicted')).toBe(false);
    expect(await cache.set('written', 'new')).toBe(false);
    expect(await cache.get('evicted')).toBeUndefined();

    await node.restart();
    await redis.health.untilUp();
    expect(await cache.get('evicted')).toBeUndefined();
    expect(await cache.get('written')).toBeUndefined();
    await eventually(async () => {
      expect(await redis.get(entryOf('evicted'))).toBeNull();
      expect(await redis.get(entryOf('written'))).toBeNull();
    });
    expect(cache.counters.evictionsDeferred).toBe(2);
    await cache.set('evicted', 'again');
    expect(await cache.get('evicted')).toBe('again');
  });

  // Two batches that share each other's keys would wait for each other for ever.
  it('lets a batch load what is its own without waiting for what another caller is loading', async () => {
    await node.kill();
    let finish: (value: string) => void = () => undefined;
    const slow = cache.getOrSet('slow', () => new Promise<string>((resolve) => (finish = resolve)));
    const asked: (readonly string[])[] = [];
    const batch = cache.getOrSetMany(['slow', 'own'], (keys) => {
      asked.push(keys);
      return keys.map((key) => `${key} of the batch`);
    });
    await eventually(() => expect(asked).toEqual([['own']]));
    finish('shared');
    expect(await Promise.all([slow, batch])).toEqual(['shared', ['shared', 'own of the batch']]);
    expect(asked).toEqual([['own']]);
  });
});

describe('a client that sends commands again', () => {
  it('finds the lease that it took the first time', async () => {
    await start();
    await using proxy = await startTcpProxy(node);
    const client = new Redis({ host: proxy.host, port: proxy.port });
    const resending = await cacheApp({ redis: { client }, prefix: PREFIX });
    try {
      const theirs = resending.get(CacheService);
      await eventually(async () => expect(await theirs.set('other', 'value')).toBe(true));
      // The command arrives, and its reply does not.
      proxy.delay('200ms');
      const reading = theirs.getOrSet('key', () => 'loaded');
      await eventually(async () => expect(await redis.get(entryOf('key'))).not.toBeNull());
      proxy.cut();
      expect(await reading).toBe('loaded');
      await eventually(async () => expect(await cache.get('key')).toBe('loaded'));
    } finally {
      await resending.close();
      client.disconnect();
    }
  });
});

describe('a Redis that was not there when the application started', () => {
  it('is found when it comes', async () => {
    await start();
    await node.kill();
    await app.close();
    app = await cacheApp({ redis: { ...server.connectionOptions, connectWithin: '100ms' } as never, prefix: PREFIX });
    cache = app.get(CacheService);
    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
    await node.restart();
    await eventually(async () => expect(await cache.set('key', 'cached')).toBe(true), { within: '2s' });
  });
});

describe('a Redis that takes no writes', () => {
  it('goes on answering reads when its memory is full', async () => {
    await start();
    await cache.set('before', 'cached');
    await node.command('CONFIG', 'SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction');
    expect(await cache.getOrSet('new', () => 'loaded')).toBe('loaded');
    expect(await cache.set('other', 'value')).toBe(false);
    expect(await cache.get('before')).toBe('cached');
    expect(redis.health.isUp).toBe(true);
  });

  it('still has the stale value for a loader that fails', async () => {
    await start();
    const options = { ttl: '1ms', failSafe: '1m' } as const;
    await cache.set('key', 'stale', options);
    await eventually(async () => expect(await cache.get('key')).toBeUndefined());
    await node.command('CONFIG', 'SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction');
    const failing = (): Promise<string> => Promise.reject(new Error('the source is away'));
    expect(await cache.getOrSet('key', failing, options)).toBe('stale');
    const hanging = (): Promise<string> => new Promise(() => undefined);
    expect(await cache.getOrSet('key', hanging, { ...options, softTimeout: '20ms' })).toBe('stale');
  });

  it('goes on answering reads when it has become a replica', async () => {
    await start();
    await cache.set('before', 'cached');
    await node.command('REPLICAOF', '127.0.0.1', '1');
    expect(await cache.getOrSet('new', () => 'loaded')).toBe('loaded');
    expect(await cache.set('before', 'changed')).toBe(false);
    await node.command('REPLICAOF', 'NO', 'ONE');
    await eventually(async () => expect(await cache.set('before', 'changed')).toBe(true));
  });

  it('counts what a user without permission cannot do, and answers all the same', async () => {
    await start();
    await node.command('ACL', 'SETUSER', 'default', '-eval', '-evalsha', '-set');
    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
    expect(await cache.set('key', 'value')).toBe(false);
    expect(cache.counters.writesLost).toBe(1);
    expect(await cache.delete('key')).toBe(false);
    expect(cache.counters.evictionsDeferred).toBe(2);
  });
});

describe('a Redis without Pub/Sub for us', () => {
  it('has those who wait look for themselves: a key is loaded once all the same', async () => {
    await start();
    await node.command('ACL', 'SETUSER', 'default', '-subscribe');
    const otherProcess = await cacheApp({ redis: server.connectionOptions, prefix: PREFIX });
    const others = otherProcess.get(CacheService);
    let finish: (value: string) => void = () => undefined;
    const theirs = others.getOrSet('key', () => new Promise<string>((resolve) => (finish = resolve)));
    await eventually(async () => expect(await redis.get(entryOf('key'))).not.toBeNull());
    const asked = Array.from({ length: 100 }, () => cache.getOrSet('key', () => 'own'));
    // Each has looked more than once by then.
    await eventually(() => expect(cache.counters.waits).toBeGreaterThan(300));
    finish('theirs');
    expect(await theirs).toBe('theirs');
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['theirs']));

    // The same for an entry that is to be replaced.
    await cache.set('stale', 'old', { ttl: '1ms', failSafe: '1m' });
    await eventually(async () => expect(await cache.get('stale')).toBeUndefined());
    const renewal = new Promise<string>((resolve) => (finish = resolve));
    const before = others.counters.loads;
    const renewing = others.getOrSet('stale', () => renewal);
    await eventually(() => expect(others.counters.loads).toBe(before + 1));
    const waitsBefore = cache.counters.waits;
    const renewed = cache.getOrSet('stale', () => 'own');
    await eventually(() => expect(cache.counters.waits).toBeGreaterThan(waitsBefore + 2));
    finish('new');
    expect(await Promise.all([renewing, renewed])).toEqual(['new', 'new']);
    await otherProcess.close();
  });
});

describe('shutdown', () => {
  it('stores what was loaded before it began, and evicts what was deferred', async () => {
    await start();
    await cache.set('evicted', 'old');
    await node.command('ACL', 'SETUSER', 'default', '-unlink');
    expect(await cache.delete('evicted')).toBe(false);
    await node.command('ACL', 'SETUSER', 'default', '+unlink');
    await cache.getOrSet('key', () => 'loaded');
    await app.close();
    expect(await node.command('EXISTS', entryOf('key'))).toBe(1);
    expect(await node.command('EXISTS', entryOf('evicted'))).toBe(0);
  });
});

describe('a user with the permissions that the page on caching names', () => {
  const rightsOnThePage = async (): Promise<string[]> => {
    const page = await readFile('docs/cache.md', 'utf8');
    const [, rights] = /An ACL user for caches needs `([^`]+)`/.exec(page) ?? [];
    return rights?.split(' ') ?? [];
  };

  it.each([false, true])('can do everything, with the memory tier %s', async (memory) => {
    await start();
    const tracking = memory ? ['+client|id', '+client|tracking', '&__redis__:invalidate'] : [];
    const user = ['shop', 'on', '>pw', `~${PREFIX}:*`, 'resetchannels', `&${PREFIX}:*`, '-@all'];
    await node.command('ACL', 'SETUSER', ...user, ...(await rightsOnThePage()), ...tracking);
    await app.close();
    const options = { redis: { url: `redis://shop:pw@127.0.0.1:${node.port}` }, prefix: PREFIX, cache: { memory } };
    app = await cacheApp(options);
    const otherProcess = await cacheApp(options);
    cache = app.get(CacheService);
    const others = otherProcess.get(CacheService);
    redis = app.get(RedisConnections).get();

    expect(await cache.set('set', 1, { tags: ['tag'] })).toBe(true);
    expect(await cache.delete('set')).toBe(true);
    expect(await cache.segment('some').set('set', 1)).toBe(true);
    expect(await cache.invalidateSegment('some')).toBe(true);
    // Two processes and a load that outlasts a third of the lease: one is woken, the other renews.
    const slowly = async (): Promise<string> => {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      return 'value';
    };
    const tagged = { tags: ['tag'] };
    await Promise.all([cache.getOrSet('loaded', slowly, tagged), others.getOrSet('loaded', slowly, tagged)]);
    expect(await cache.invalidateTags(['tag'])).toBe(true);
    expect(await others.getOrSet('loaded', () => 'again', tagged)).toBe('again');
    await eventually(async () => expect(await cache.get('loaded')).toBe('again'));
    await redis.send('SET', [entryOf('undecodable'), '?', 'EX', 60]);
    await cache.getOrSet('undecodable', () => 'value');
    await eventually(async () => expect(await others.get('undecodable')).toBe('value'));
    const failing = { ttl: '1ms', failSafe: '1m' } as const;
    await cache.getOrSet('failing', () => 'stale', failing);
    await eventually(async () => expect(await cache.get('failing')).toBeUndefined());
    expect(await cache.getOrSet('failing', () => Promise.reject(new Error('no')), failing)).toBe('stale');
    await eventually(async () => expect(await cache.get('failing')).toBe('stale'));
    expect((await cache.clear()).complete).toBe(true);
    for (const { counters } of [cache, others]) {
      expect(counters).toMatchObject({ writesLost: 0, readsWithoutRedis: 0, evictionsDeferred: 0 });
    }
    await otherProcess.close();
  });
});

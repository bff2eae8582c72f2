import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { CacheService } from '../../../src/cache/index.js';
import { eventually, startRedis, type RedisNode, type RedisServer, type TcpProxy } from '../../../src/testing/index.js';
import { cacheApp } from '../../support/cache-app.js';
import { proxied } from '../../support/cache-processes/proxied.js';
import { OwnTime } from '../../support/own-time.js';
import { expectNoLeakedConnections, randomPrefix } from '../../support/redis.js';

expectNoLeakedConnections();

/** Within this, a process notices that it hears nothing any more. */
const NOTICED_MS = 3_000;
/** How often it looks. */
const HEARTBEAT_MS = 500;
/** For so long that the server may have given this process up. */
const BLOCKED_MS = 2_600;
/** What the server's word takes, with time for a machine that is busy. */
const WORD_MS = 250;

const KEYS = ['one', 'two', 'tagged'];
const tagsOf = (key: string): { readonly tags: readonly string[] } => ({ tags: key === 'tagged' ? ['tag'] : [] });

let server: RedisServer;
let node: RedisNode;
let proxies: readonly TcpProxy[];
let app: TestingModule;
let otherProcess: TestingModule;
let cache: CacheService;
let others: CacheService;

/** A process with a memory tier behind a network of its own, and one that nothing happens to. */
async function start(topology: 'standalone' | 'cluster'): Promise<void> {
  server = await startRedis(topology === 'cluster' ? { topology, nodeTimeout: '20s' } : { topology });
  [node] = server.masters as readonly [RedisNode];
  const prefix = randomPrefix();
  const way = await proxied(server);
  proxies = way.proxies;
  app = await cacheApp({ redis: way.options, prefix, cache: { memory: true, redisDeadline: '50ms' } });
  otherProcess = await cacheApp({ redis: server.connectionOptions, prefix, cache: { memory: true } });
  cache = app.get(CacheService);
  others = otherProcess.get(CacheService);
}

afterEach(async () => {
  await app.close();
  await otherProcess.close();
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  await server.stop();
});

/** Has the values in the memory of the process behind the proxy, with no word of their writing still on its way. */
async function remember(keys: readonly string[], value: string): Promise<void> {
  for (const key of keys) expect(await others.set(key, value, tagsOf(key))).toBe(true);
  await eventually(
    async () => {
      for (const key of keys) expect(await cache.get(key)).toBe(value);
      await new Promise((resolve) => setTimeout(resolve, WORD_MS));
      for (const key of keys) await expectFromMemory(key, value);
    },
    { within: '10s' },
  );
}

async function expectFromMemory(key: string, value: string): Promise<void> {
  const { memoryHits } = cache.counters;
  expect(await cache.get(key)).toBe(value);
  expect(cache.counters.memoryHits).toBe(memoryHits + 1);
}

/** Reads on and on, and returns how long after the beginning the old value was given last. */
async function lastOldMs(keys: readonly string[], forMs: number): Promise<number> {
  using own = new OwnTime();
  let lastMs = 0;
  while (own.ms < forMs) {
    for (const key of keys) {
      const value = await cache.getOrSet(key, () => 'new');
      if (value === 'old') lastMs = own.ms;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return lastMs;
}

describe.each(['standalone', 'cluster'] as const)('a memory tier on %s, whose process', (topology) => {
  it.each<[string, () => unknown, number]>([
    ['is cut off and comes back', () => proxies.forEach((proxy) => proxy.cut()), WORD_MS],
    ['is refused', () => Promise.all(proxies.map((proxy) => proxy.refuse())), WORD_MS],
    ['hears nothing any more', () => proxies.forEach((proxy) => proxy.freeze()), NOTICED_MS],
    [
      'has its subscription ended by the server',
      () => Promise.all(server.nodes.map((one) => one.command('CLIENT', 'KILL', 'TYPE', 'pubsub'))),
      WORD_MS,
    ],
  ])(
    '%s, serves nothing old after that was noticed, and uses its memory again later',
    async (_, fail, withinMs) => {
      await start(topology);
      await remember(KEYS, 'old');
      const { memoryFlushes } = cache.counters;
      await fail();
      expect(await others.delete('one')).toBe(true);
      expect(await others.set('two', 'new')).toBe(true);
      expect(await others.invalidateTags(['tag'])).toBe(true);
      expect(await lastOldMs(KEYS, withinMs + 1_000)).toBeLessThan(withinMs);
      expect(cache.counters.memoryFlushes).toBeGreaterThan(memoryFlushes);

      await Promise.all(proxies.map((proxy) => proxy.heal()));
      await eventually(
        async () => {
          expect(await cache.getOrSet('tagged', () => 'new')).toBe('new');
          await expectFromMemory('tagged', 'new');
        },
        { within: '10s' },
      );
    },
    120_000,
  );
});

describe('a memory tier whose process stood still', () => {
  it('is not used before the server has been heard again', async () => {
    await start('standalone');
    await remember(KEYS, 'old');
    const entry = String(await node.command('KEYS', '*{*one*}'));
    // Timers that are overdue come before sockets: this one reads before the server's word of the change is read, and after the heartbeat, which has found out.
    const value = new Promise((resolve) => {
      setTimeout(() => resolve(cache.getOrSet('one', () => 'new')), HEARTBEAT_MS + 200);
    });
    const unlink = `require('net').connect(${node.port}, '127.0.0.1').write('UNLINK ${entry}\\r\\n'); setTimeout(process.exit, ${BLOCKED_MS})`;
    execFileSync(process.execPath, ['-e', unlink]);
    expect(await value).toBe('new');
    await eventually(async () => await expectFromMemory('two', 'old'));
  });
});

describe('a memory tier whose server stands still', () => {
  it('answers at once, from memory while that can be trusted and from the source after, and all is well later', async () => {
    await start('standalone');
    await remember(KEYS, 'value');
    await node.pause();
    let slowestMs = 0;
    const timed = async (key: string): Promise<unknown> => {
      using own = new OwnTime();
      const value = await cache.getOrSet(key, () => 'loaded');
      slowestMs = Math.max(slowestMs, own.ms);
      return value;
    };
    expect(await timed('one')).toBe('value');
    for (let i = 0; i < 50; i++) expect(await timed(`unknown ${i}`)).toBe('loaded');
    // What is in memory counts no longer once changes of it might go unheard.
    await eventually(async () => expect(await timed('one')).toBe('loaded'), { within: '4s' });
    expect(slowestMs).toBeLessThan(50 + WORD_MS);

    await node.resume();
    await eventually(async () => await expectFromMemory('two', 'value'), { within: '5s' });
    // No lease was left behind that would keep anybody waiting.
    using own = new OwnTime();
    for (let i = 0; i < 50; i++) expect(await others.getOrSet(`unknown ${i}`, () => 'loaded')).toBe('loaded');
    expect(own.ms).toBeLessThan(2_000);
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { CacheService } from '../../../src/cache/index.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import { eventually, startRedis, type RedisNode, type RedisServer, type TcpProxy } from '../../../src/testing/index.js';
import { encodeKey } from '../../../src/core/keys/key-encoding.js';
import { proxied } from '../../support/cache-processes/proxied.js';
import { cacheApp } from '../../support/cache-app.js';
import { expectNoLeakedConnections, randomPrefix } from '../../support/redis.js';

expectNoLeakedConnections();

let server: RedisServer;
let node: RedisNode;
let proxies: readonly TcpProxy[] = [];
let app: TestingModule;
let otherProcess: TestingModule;
let cache: CacheService;
let others: CacheService;

const OLD = 'old';
const TTL = { ttl: '1h' } as const;

/** Every way to invalidate an entry, and how the entry is written. */
const WAYS = {
  deleted: { of: (on: CacheService) => on, invalidate: (on: CacheService) => on.delete('deleted') },
  written: { of: (on: CacheService) => on, invalidate: (on: CacheService) => on.set('written', 'new') },
  tagged: { of: (on: CacheService) => on, invalidate: (on: CacheService) => on.invalidateTags(['tag']) },
  derived: { of: (on: CacheService) => on, invalidate: (on: CacheService) => on.invalidateTags(['derived tag']) },
  'in a segment': {
    of: (on: CacheService) => on.segment('some'),
    invalidate: (on: CacheService) => on.invalidateSegment('some'),
  },
} as const;
type Way = keyof typeof WAYS;
const ALL = Object.keys(WAYS) as Way[];

function load(on: CacheService, way: Way, value: string): Promise<string> {
  const options = {
    tagged: { ...TTL, tags: ['tag'] },
    derived: { ...TTL, tags: () => ['derived tag'] },
  };
  return WAYS[way].of(on).getOrSet(way, () => value, { ...TTL, ...options[way as keyof typeof options] });
}

async function start(memory: boolean): Promise<void> {
  server = await startRedis({ appendOnly: true, args: { appendfsync: 'always' } });
  [node] = server.masters as readonly [RedisNode];
  const shared = { redis: server.connectionOptions, prefix: randomPrefix(), cache: { memory } };
  app = await cacheApp(shared);
  otherProcess = await cacheApp(shared);
  cache = app.get(CacheService);
  others = otherProcess.get(CacheService);
  await eventually(async () => {
    for (const way of ALL) {
      expect(await load(cache, way, OLD)).toBe(OLD);
      expect(await load(others, way, 'loaded by the other')).toBe(OLD);
    }
  });
}

afterEach(async () => {
  await app.close();
  await otherProcess.close();
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  await server.stop();
});

describe.each([false, true])('what could not be invalidated, with the memory tier %s', (memory) => {
  beforeEach(() => start(memory));

  it('is not served by this process any more, nor by others once Redis is back', async () => {
    await node.kill();
    for (const way of ALL) expect({ way, told: await WAYS[way].invalidate(cache) }).toEqual({ way, told: false });
    for (const way of ALL)
      expect({ way, value: await WAYS[way].of(cache).get(way) }).toEqual({ way, value: undefined });

    await node.restart();
    await app.get(RedisConnections).get().health.untilUp();
    for (const way of ALL) expect({ way, value: await load(cache, way, 'new') }).toEqual({ way, value: 'new' });
    await eventually(async () => {
      for (const way of ALL) expect({ way, value: await load(others, way, 'new') }).toEqual({ way, value: 'new' });
    });
    // The word of the change reaches memory a moment later; nothing old comes back after it.
    for (const way of ALL) expect({ way, value: await load(others, way, 'new') }).toEqual({ way, value: 'new' });
    expect(cache.counters.evictionsDeferred).toBeGreaterThanOrEqual(ALL.length);
    expect(cache.counters.evictionsLost).toBe(0);
  });

  it('is not served from what a read brought while the attempt was under way', async () => {
    for (const way of ALL) {
      // The script is unknown, so that a second trip follows, and that one is refused: a read in between is answered from before.
      await node.command('SCRIPT', 'FLUSH');
      await node.command('ACL', 'SETUSER', 'default', '-eval');
      const told = WAYS[way].invalidate(cache);
      await WAYS[way].of(cache).get(way);
      expect({ way, told: await told }).toEqual({ way, told: false });
      expect({ way, value: await WAYS[way].of(cache).get(way) }).toEqual({ way, value: undefined });
      expect({ way, value: await load(cache, way, 'new') }).toEqual({ way, value: 'new' });
      await node.command('ACL', 'SETUSER', 'default', '+eval');
      await eventually(async () => expect(await load(others, way, 'new')).toBe('new'));
    }
  });

  it('goes with the entries that were written meanwhile, and then they are kept as ever', async () => {
    await node.command('ACL', 'SETUSER', 'default', '-evalsha', '-eval');
    for (const way of ALL) expect(await WAYS[way].invalidate(cache)).toBe(false);
    await node.command('ACL', 'SETUSER', 'default', '+evalsha', '+eval');
    await eventually(async () => {
      for (const way of ALL) {
        expect(await load(cache, way, 'new')).toBe('new');
        // Before others ask: what is loaded while the word of the confirmation is on its way is not stored.
        expect(await WAYS[way].of(cache).get(way)).toBe('new');
        expect(await load(others, way, 'not loaded')).toBe('new');
      }
    });
  });
});

describe('what could not be invalidated on a cluster', () => {
  it('is not served to a reader that was answered in part before the store confirmed, and in part after', async () => {
    server = await startRedis({ topology: 'cluster' });
    const { options, ...network } = await proxied(server);
    proxies = network.proxies;
    const prefix = randomPrefix();
    app = await cacheApp({ redis: options, prefix });
    otherProcess = await cacheApp({ redis: server.connectionOptions, prefix });
    cache = app.get(CacheService);
    const [tagsAt] = await ownersOf([`${prefix}:cache:default:tags:{default}`]);
    const names = Array.from({ length: 20 }, (_, i) => `key ${i}`);
    const owners = await ownersOf(names.map((name) => `${prefix}:cache:default:{${encodeKey([name])}}`));
    const at = owners.findIndex((owner) => owner !== tagsAt);
    const [key, elsewhere] = [names[at] as string, owners[at] as number];
    const tags = server.nodes[tagsAt as number];

    expect(await cache.set(key, OLD, { tags: ['tag'] })).toBe(true);
    const before = await tokenOf(tags, prefix);
    await tags?.command('ACL', 'SETUSER', 'default', '-evalsha', '-eval');
    expect(await cache.invalidateTags(['tag'])).toBe(false);
    proxies[elsewhere]?.freeze();
    // It asks for the token, and is told the one from before; the entry it hears of later.
    const reading = cache.getOrSet(key, () => 'new', { tags: ['tag'] });
    await tags?.command('ACL', 'SETUSER', 'default', '+evalsha', '+eval');
    await eventually(async () => expect(await tokenOf(tags, prefix)).not.toBe(before));
    // Until the process has heard that its repetition was confirmed: then it trusts the tag again.
    const beside = names[owners.indexOf(tagsAt as number)] as string;
    await eventually(async () => {
      await cache.set(beside, 'value', { tags: ['tag'] });
      expect(await cache.get(beside)).toBe('value');
    });
    await proxies[elsewhere]?.heal();
    expect(await reading).toBe('new');
  });

  it('reaches every key on the nodes that are there, though others wait for one that is dead', async () => {
    server = await startRedis({ topology: 'cluster', args: { 'cluster-require-full-coverage': 'no' } });
    const { options, ...network } = await proxied(server);
    proxies = network.proxies;
    const prefix = randomPrefix();
    app = await cacheApp({ redis: options, prefix });
    otherProcess = await cacheApp({ redis: server.connectionOptions, prefix });
    cache = app.get(CacheService);
    others = otherProcess.get(CacheService);
    const names = Array.from({ length: 1_500 }, (_, i) => `key ${i}`);
    const owners = await ownersOf(names.map((name) => `${prefix}:cache:default:{${encodeKey([name])}}`));
    const dead = names.filter((_, i) => owners[i] === 0);
    const alive = names.filter((_, i) => owners[i] !== 0);
    // So many at once, through connections that are made just now, may meet the deadline on a busy machine.
    await eventually(async () => {
      expect(await cache.setMany(names.map((name) => [name, OLD] as const))).toBe(true);
      expect(await others.getMany(names)).toEqual(names.map(() => OLD));
    });

    await server.nodes[0]?.kill();
    for (const node of server.nodes.slice(1)) await node.command('ACL', 'SETUSER', 'default', '-evalsha', '-eval');
    // Those that wait for the dead node come first, and are more than are told at once.
    expect(await cache.deleteMany(dead)).toBe(false);
    expect(await cache.deleteMany(alive)).toBe(false);
    await eventually(async () => expect(await others.getMany(alive)).toEqual(alive.map(() => OLD)));
    for (const node of server.nodes.slice(1)) await node.command('ACL', 'SETUSER', 'default', '+evalsha', '+eval');
    await eventually(async () => expect(await others.getMany(alive)).toEqual(alive.map(() => undefined)));

    // They wait no longer: this process trusts what the other one stores.
    await eventually(async () => {
      await others.setMany(alive.map((name) => [name, 'new'] as const));
      expect(await cache.getMany(alive)).toEqual(alive.map(() => 'new'));
    });
    expect(cache.counters.evictionsLost).toBe(0);
    await app.close();
    expect(cache.counters.evictionsLost).toBe(dead.length);
  });

  /** Which of the server's nodes each key is on. */
  async function ownersOf(keys: readonly string[]): Promise<number[]> {
    const owns = async (candidate: RedisNode, key: string): Promise<boolean> =>
      candidate.command('GET', key).then(
        () => true,
        () => false,
      );
    return Promise.all(
      keys.map(async (key) => (await Promise.all(server.nodes.map((one) => owns(one, key)))).indexOf(true)),
    );
  }

  async function tokenOf(tags: RedisNode | undefined, prefix: string): Promise<string> {
    return String(await tags?.command('GET', `${prefix}:cache:default:tags:{default}:tag:tag`));
  }
});

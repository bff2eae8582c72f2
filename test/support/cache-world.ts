import { afterAll, beforeAll, describe } from '@jest/globals';
import { Redis, Cluster } from 'ioredis';
import type { TestingModule } from '@nestjs/testing';
import { CacheService, type Cache, type CacheKey } from '../../src/cache/index.js';
import { eventually } from '../../src/testing/index.js';
import { cacheApp, type CacheAppOptions } from './cache-app.js';
import { expectEveryKeyExpires, randomPrefix, sharedRedis, type SharedTopology } from './redis.js';

/** What a cache stands on in one round of tests. All that it opens is closed after them. */
export class CacheWorld {
  readonly prefix = randomPrefix();
  readonly #apps: TestingModule[] = [];

  constructor(
    /** Null: this process alone. */
    readonly topology: SharedTopology | null,
    readonly hasMemory: boolean,
  ) {}

  /** One process of an application; all of them share their entries. */
  async open({ cache, ...rest }: Omit<CacheAppOptions, 'redis' | 'prefix'> = {}): Promise<TestingModule> {
    const redis = this.topology === null ? null : sharedRedis(this.topology);
    const app = await cacheApp({ redis, prefix: this.prefix, cache: { memory: this.hasMemory, ...cache }, ...rest });
    this.#apps.push(app);
    return app;
  }

  /** What was acknowledged in one process holds in the others: at once without a memory tier, else as soon as the server's word has come. */
  async elsewhere(assertion: () => Promise<void>): Promise<void> {
    if (this.hasMemory) await eventually(assertion, { every: '2ms' });
    else await assertion();
  }

  async close(): Promise<void> {
    for (const app of this.#apps.splice(0)) await app.close();
  }
}

type Tests = (world: CacheWorld) => void;

/** The same tests on both topologies, with and without a memory tier. */
export function describeCaches(tests: Tests): void {
  describeWorlds([new CacheWorld('standalone', false), new CacheWorld('standalone', true), ...onCluster()], tests);
}

/** The same without Redis too: what does not take a second process. */
export function describeStores(tests: Tests): void {
  const alone = [new CacheWorld(null, false), new CacheWorld(null, true)];
  describeWorlds(
    [new CacheWorld('standalone', false), new CacheWorld('standalone', true), ...onCluster(), ...alone],
    tests,
  );
}

function onCluster(): CacheWorld[] {
  return [new CacheWorld('cluster', false), new CacheWorld('cluster', true)];
}

function describeWorlds(worlds: readonly CacheWorld[], tests: Tests): void {
  const named = worlds.map((world) => ({
    world,
    name: `${world.topology ?? 'this process alone'}, memory tier ${world.hasMemory ? 'on' : 'off'}`,
  }));
  describe.each(named)('on $name', ({ world }) => {
    tests(world);
    // The last one that is registered runs last.
    afterAll(async () => {
      const { topology, prefix } = world;
      try {
        if (topology !== null) await expectEveryKeyExpires(topology, prefix);
      } finally {
        await world.close();
      }
    });
  });
}

/** Another client of the shared server: somebody at redis-cli, say. */
export function redisCli(topology: SharedTopology): { readonly client: Redis | Cluster } {
  const holder = {} as { client: Redis | Cluster };
  beforeAll(async () => {
    holder.client =
      topology === 'standalone'
        ? new Redis(sharedRedis('standalone').url, { lazyConnect: true })
        : new Cluster([...sharedRedis('cluster').cluster.nodes], { lazyConnect: true });
    await holder.client.connect();
  });
  afterAll(() => holder.client.disconnect());
  return holder;
}

/** The default cache of an application. */
export function cacheOf(app: TestingModule): CacheService {
  return app.get(CacheService);
}

/** Reads an entry until memory answers, if there is one. */
export async function readUntilInMemory(
  world: Pick<CacheWorld, 'hasMemory'>,
  cache: Cache,
  key: CacheKey,
): Promise<void> {
  if (!world.hasMemory) return;
  await eventually(
    async () => {
      const before = cache.counters.memoryHits;
      await cache.get(key);
      if (cache.counters.memoryHits === before) throw new Error('It is not in memory.');
    },
    { every: '1ms' },
  );
}

/** Resolves once what this cache loads under `work` is in the store, or was refused there; with what it was. */
export async function settled(cache: Cache, work: () => Promise<unknown>): Promise<'stored' | 'overtaken'> {
  const outcome = new Promise<'stored' | 'overtaken'>((resolve) => {
    const loaded = new Set<string>();
    const cancel = cache.onEvent((event) => {
      if (event.type === 'load') loaded.add(event.key);
      if ((event.type !== 'stored' && event.type !== 'overtaken') || !loaded.has(event.key)) return;
      cancel();
      resolve(event.type);
    });
  });
  await work();
  return outcome;
}

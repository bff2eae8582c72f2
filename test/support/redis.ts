import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import type { ClusterRedisOptions, SingleRedisOptions } from '../../src/core/redis/config/redis.options.js';
import type { Duration } from '../../src/core/time/duration.js';
import { eventually } from '../../src/testing/index.js';

/** The topologies that every run has a server of. */
export type SharedTopology = 'standalone' | 'cluster';

const VARIABLES = { standalone: 'ROOKERY_TEST_STANDALONE', cluster: 'ROOKERY_TEST_CLUSTER' } as const;

/** Options for `RedisModule.forRoot` that lead to the server which the whole run shares. Do not stop, pause or flush it. */
export function sharedRedis(topology: 'standalone'): SingleRedisOptions & { readonly url: string };
export function sharedRedis(topology: 'cluster'): ClusterRedisOptions;
export function sharedRedis(topology: SharedTopology): SingleRedisOptions | ClusterRedisOptions;
export function sharedRedis(topology: SharedTopology): SingleRedisOptions | ClusterRedisOptions {
  const options = process.env[VARIABLES[topology]];
  if (options === undefined) throw new Error(`${VARIABLES[topology]} is not set: is this the integration project?`);
  return JSON.parse(options) as SingleRedisOptions | ClusterRedisOptions;
}

/** A key prefix that no other test has, so that files may run at once on the shared servers. */
export function randomPrefix(): string {
  return `t${randomBytes(8).toString('hex')}`;
}

/** The same tests on each of the shared topologies: what holds on one server must hold on a Cluster. */
export function describeTopologies(tests: (topology: SharedTopology) => void): void {
  describe.each<SharedTopology>(['standalone', 'cluster'])('on %s', tests);
}

/** Every key under the prefix, on every master. For looking at after a test; SCAN, so a key that is written meanwhile may be missed. */
export async function keysUnder(topology: SharedTopology, prefix: string): Promise<string[]> {
  return withMasters(topology, async (masters) => {
    const found = await Promise.all(masters.map((master) => scan(master, `${prefix}*`)));
    return found.flat().sort();
  });
}

/** Fails unless every key under the prefix is gone, or goes in a while. */
export async function expectNoLeakedKeys(
  topology: SharedTopology,
  prefix: string,
  within: Duration = '10s',
): Promise<void> {
  await eventually(async () => expect(await keysUnder(topology, prefix)).toEqual([]), { within });
}

/** Fails when a key under the prefix would stay for ever. */
export async function expectEveryKeyExpires(topology: SharedTopology, prefix: string): Promise<void> {
  const immortal = await withMasters(topology, async (masters) => {
    const keys = await Promise.all(
      masters.map(async (master) => {
        const ttls = (await scan(master, `${prefix}*`)).map(async (key) => ({ key, ttl: await master.pttl(key) }));
        return (await Promise.all(ttls)).filter(({ ttl }) => ttl === -1).map(({ key }) => key);
      }),
    );
    return keys.flat();
  });
  expect(immortal).toEqual([]);
}

/** Call it once at the top level of a test file, below what the file closes in the end: the file fails if it left a connection open after its last test. */
export function expectNoLeakedConnections(): void {
  const open = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
  let before = 0;
  beforeAll(() => {
    before = open();
  });
  afterAll(() => eventually(() => expect(open()).toBeLessThanOrEqual(before), { within: '10s' }));
}

async function withMasters<T>(topology: SharedTopology, use: (masters: Redis[]) => Promise<T>): Promise<T> {
  if (topology === 'standalone') {
    const client = new Redis(sharedRedis('standalone').url);
    return use([client]).finally(() => client.disconnect());
  }
  const client = new Cluster([...sharedRedis('cluster').cluster.nodes], { lazyConnect: true });
  await client.connect();
  return use(client.nodes('master')).finally(() => client.disconnect());
}

async function scan(master: Redis, pattern: string): Promise<string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const [next, page] = await master.scan(cursor, 'MATCH', pattern, 'COUNT', 1_000);
    page.forEach((key) => keys.add(key));
    cursor = next;
  } while (cursor !== '0');
  return [...keys];
}

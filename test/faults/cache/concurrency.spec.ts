import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, startRedis, type RedisServer } from '../../../src/testing/index.js';
import { CacheProcess } from '../../support/cache-processes/cache-process.js';
import { Disturber, type Disturbance } from '../../support/cache-processes/disturber.js';
import { judge, type Change, type Read, type Verdict } from '../../support/cache-processes/history.js';
import type { WorkloadResult, WorkloadSettings } from '../../support/cache-processes/protocol.js';
import { proxied, type ProxiedServer } from '../../support/cache-processes/proxied.js';
import { expectNoLeakedConnections, randomPrefix, sharedRedis, type SharedTopology } from '../../support/redis.js';
import { seededRandom } from '../../support/seeded-random.js';
import { OwnStandstills, ServerStandstills, stoodStillMs, type Standstill } from '../../support/standstills.js';

/*
 * Real processes read and change the same keys at random while their connections break, and everything that they saw is held against the guarantee.
 * `SEED=<n>` repeats the choices of a run, `ROUNDS=<n>` makes it that many times as long.
 */

const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const ROUNDS = Number(process.env.ROUNDS ?? 1);
const PROCESSES = 4;
const OPERATIONS = 1_200;
const WORKERS = 16;
const ROUND_TIMEOUT_MS = 120_000;

/** How long the server's word of a change may take to another process while all that it passes through do run. */
const WORD_MS = 50;

let children: readonly CacheProcess[];
const servers = new Map<SharedTopology, RedisServer>();

beforeAll(async () => {
  [children] = await Promise.all([
    CacheProcess.start(PROCESSES),
    ...(['standalone', 'cluster'] as const).map(async (topology) =>
      servers.set(topology, await startRedis({ topology })),
    ),
  ]);
});

afterAll(async () => {
  try {
    await Promise.all(children.map((child) => child.end()));
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()));
  }
});
// Hooks run in the order in which they stand: this one has to see what the one above has closed.
expectNoLeakedConnections();

type Variant = [topology: SharedTopology, memory: 'off' | 'on', disturbances: readonly Disturbance[]];

describe.each<Variant>([
  ['standalone', 'off', ['kill', 'kill pubsub', 'cut', 'freeze']],
  ['standalone', 'on', ['kill', 'kill pubsub', 'cut']],
  ['cluster', 'off', ['kill', 'kill pubsub', 'cut', 'freeze']],
  ['cluster', 'on', ['kill', 'kill pubsub', 'cut']],
])('on %s, with the memory tier %s', (topology, memory, disturbances) => {
  it(
    'gives nobody what was there before a confirmed invalidation, whatever breaks',
    async () => {
      const server = servers.get(topology) as RedisServer;
      const total = { operations: 0, reads: 0, checked: 0, changes: 0, confirmed: 0, disturbances: 0, longestLagMs: 0 };
      const counted: Record<string, number> = {};
      for (let round = 0; round < ROUNDS; round++) {
        const seed = SEED + round;
        const { results, verdict, disturbed } = await runRound(server, memory === 'on', disturbances, seed);
        const changes = results.flatMap((result) => result.changes);
        total.operations += sum(results, (result) => result.operations);
        total.reads += sum(results, (result) => result.reads.length);
        total.checked += verdict.checked;
        total.changes += changes.length;
        total.confirmed += changes.filter(({ confirmed }) => confirmed).length;
        total.disturbances += disturbed;
        for (const { counters } of results) {
          for (const [name, count] of Object.entries(counters)) counted[name] = (counted[name] ?? 0) + count;
        }
        total.longestLagMs = Math.max(total.longestLagMs, verdict.longestLagMs);
        const seen = { seed, violations: verdict.violations.slice(0, 5), unexpected: unexpectedIn(results) };
        expect(seen).toEqual({ seed, violations: [], unexpected: [] });
      }
      console.log(`${topology}, memory ${memory}, seed ${SEED}: ${JSON.stringify({ ...total, counted })}`);
      expect(total.checked).toBeGreaterThan(total.reads / 2);
    },
    ROUND_TIMEOUT_MS * ROUNDS,
  );
});

interface Round {
  readonly results: readonly WorkloadResult[];
  readonly verdict: Verdict;
  readonly disturbed: number;
}

async function runRound(
  server: RedisServer,
  memory: boolean,
  kinds: readonly Disturbance[],
  seed: number,
): Promise<Round> {
  const ways = await Promise.all(children.map(() => proxied(server)));
  await openAll(ways, memory);
  const settings = children.map((_, process): WorkloadSettings => ({
    seed,
    process,
    processes: PROCESSES,
    workers: WORKERS,
    operations: OPERATIONS,
  }));
  const { results, onTheWay, disturbed } = await work(server, ways, kinds, settings, seed);
  const lagMs = (read: Read, change: Change): number => {
    if (!memory) return 0;
    const standstills = [...onTheWay, ...(results[read.process]?.standstills ?? [])];
    return WORD_MS + stoodStillMs(standstills, change.endedUs, read.sinceUs);
  };
  const reads = results.flatMap((result) => result.reads);
  const verdict = judge(
    reads,
    results.flatMap((result) => result.changes),
    lagMs,
  );
  await expectAllNewInTheEnd(results, settings);
  await Promise.all(children.map((child) => child.do('close', null)));
  await expectNothingLeft(server);
  await Promise.all(ways.flatMap(({ proxies }) => proxies.map((proxy) => proxy.stop())));
  return { results, verdict, disturbed };
}

interface Worked {
  readonly results: readonly WorkloadResult[];
  /** When somebody stood still who has to pass on the server's word. */
  readonly onTheWay: readonly Standstill[];
  readonly disturbed: number;
}

async function work(
  server: RedisServer,
  ways: readonly ProxiedServer[],
  kinds: readonly Disturbance[],
  settings: readonly WorkloadSettings[],
  seed: number,
): Promise<Worked> {
  // All connections lead through this process.
  using own = new OwnStandstills();
  using masters = new ServerStandstills(server.masters);
  const proxies = ways.map((way) => way.proxies);
  const disturber = new Disturber({ server, kinds, proxies, random: seededRandom(seed) });
  const results = await Promise.all(children.map((child, i) => child.do('workload', settings[i] as WorkloadSettings)));
  await disturber.stop();
  return { results, onTheWay: [...own.seen, ...masters.seen], disturbed: disturber.count };
}

async function openAll(ways: readonly ProxiedServer[], memory: boolean): Promise<void> {
  const shared = {
    prefix: randomPrefix(),
    sourceUrl: sharedRedis('standalone').url,
    memory,
    lease: '1s',
    redisDeadline: '200ms',
  } as const;
  await Promise.all(
    children.map((child, i) => child.do('open', { ...shared, redis: (ways[i] as ProxiedServer).options })),
  );
}

/** What could not be confirmed was repeated until it was: in the end nobody is given what is old. */
async function expectAllNewInTheEnd(
  results: readonly WorkloadResult[],
  settings: readonly WorkloadSettings[],
): Promise<void> {
  const confirmed = results.flatMap(({ changes }) => changes.map((change) => ({ ...change, confirmed: true })));
  await eventually(
    async () => {
      const all = children.map((child, i) => child.do('readAll', settings[i] as WorkloadSettings));
      const reads = (await Promise.all(all)).flat();
      expect(judge(reads, confirmed, () => 0).violations).toEqual([]);
    },
    { within: '5s', every: '100ms' },
  );
}

/** The keys that would stay for ever. */
const IMMORTAL = `
  local immortal = {}
  for _, key in ipairs(redis.call('KEYS', '*')) do
    if redis.call('PTTL', key) == -1 then immortal[#immortal + 1] = key end
  end
  return immortal`;

/** No connection, and no key that does not expire. */
async function expectNothingLeft({ masters }: RedisServer): Promise<void> {
  for (const master of masters) {
    // The one that asks.
    await eventually(async () =>
      expect(
        String(await master.command('CLIENT', 'LIST'))
          .trim()
          .split('\n'),
      ).toHaveLength(1),
    );
    expect(await master.command('EVAL', IMMORTAL, '0')).toEqual([]);
  }
}

function unexpectedIn(results: readonly WorkloadResult[]): readonly string[] {
  return results.flatMap(({ unexpected }) => unexpected).slice(0, 5);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { RateLimitPolicy } from '../../../src/throttler/index.js';
import { nowUs } from '../../support/job-process.js';
import { describeTopologies, expectEveryKeyExpires, randomPrefix, sharedRedis } from '../../support/redis.js';
import { seededRandom } from '../../support/seeded-random.js';
import {
  overAdmission,
  rateBound,
  windowBound,
  wrongInSequence,
  type Bound,
} from '../../support/throttler-processes/over-admission.js';
import type { Decision, StormSettings } from '../../support/throttler-processes/protocol.js';
import { ThrottlerProcess } from '../../support/throttler-processes/throttler-process.js';

/** `SEED=<n>` repeats the choices of a run, `ROUNDS=<n>` makes it that many times as long. */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const ROUNDS = Number(process.env.ROUNDS ?? 1);
/** A script is the same on a Cluster. */
const PROCESSES = { standalone: 8, cluster: 3 } as const;
const HOUR_MS = 3_600_000;
const STORM_US = 1_500_000;
const LIMIT = 40;
const ONCE = 200;

const POLICIES: readonly RateLimitPolicy[] = [
  { name: 'strict', limit: LIMIT, window: '300ms' },
  { name: 'log', limit: LIMIT, window: '300ms', algorithm: 'sliding-log' },
  { name: 'fixed', limit: LIMIT, window: '300ms', algorithm: 'fixed-window' },
  { name: 'steady', rate: '200/s', burst: LIMIT },
  { name: 'once', limit: ONCE, window: '1h' },
];

/** What each admits in any window, as the docs have it. */
const BOUNDS: readonly Bound[] = [
  windowBound('strict', LIMIT, 300_000),
  windowBound('log', LIMIT, 300_000),
  windowBound('fixed', 2 * LIMIT, 300_000),
  rateBound('steady', LIMIT, 5_000),
];

const random = seededRandom(SEED);
/** Up to an hour apart. */
const shiftsMs = (count: number): number[] => Array.from({ length: count }, () => Math.round(random() * HOUR_MS));

describeTopologies((topology) => {
  let processes: readonly ThrottlerProcess[] = [];
  let prefix: string;

  beforeAll(async () => {
    prefix = randomPrefix();
    processes = await ThrottlerProcess.open(shiftsMs(PROCESSES[topology]), {
      redis: sharedRedis(topology),
      prefix,
      policies: POLICIES,
    });
  }, 60_000);
  afterAll(async () => {
    await Promise.all(
      processes.map(async (process) => {
        await process.do('close', null);
        await process.end();
      }),
    );
    await expectEveryKeyExpires(topology, prefix);
  }, 60_000);

  /** All processes at once. */
  async function storm(settings: Omit<StormSettings, 'seed' | 'untilUs' | 'workers'>): Promise<readonly Decision[]> {
    const untilUs = nowUs() + STORM_US * ROUNDS;
    const workers = 6;
    const all = await Promise.all(
      processes.map((process, i) => process.do('storm', { ...settings, seed: SEED + i, untilUs, workers })),
    );
    return all.flat();
  }

  it(
    `admits no more than the limits, and as much, from processes whose clocks are up to an hour apart (SEED=${SEED})`,
    async () => {
      const choices = [['strict'], ['log'], ['fixed'], ['steady'], ['strict', 'log', 'fixed', 'steady']];
      const callers = ['alice', 'bob'];
      const decisions = await storm({ by: 'rookery', choices, callers, mostUnits: 3 });
      expect(BOUNDS.map((bound) => [bound.name, overAdmission(decisions, bound)])).toEqual(
        BOUNDS.map(({ name }) => [name, 0]),
      );
      const admitted = decisions.filter((decision) => decision.admitted);
      expect(admitted.length).toBeLessThan(decisions.length);
      expect(new Set(admitted.map(({ policies }) => policies.join()))).toEqual(new Set(choices.map(String)));

      const once = await storm({ by: 'rookery', choices: [['once']], callers, mostUnits: 1 });
      expect(wrongInSequence(once, 'once', ONCE)).toEqual([]);
    },
    60_000 * ROUNDS,
  );

  // The recipe knows no Cluster.
  (topology === 'standalone' ? it : it.skip)('finds out the recipe of many articles', async () => {
    const decisions = await storm({ by: 'recipe', choices: [['strict']], callers: ['alice'], mostUnits: 1 });
    expect(overAdmission(decisions, BOUNDS[0] as Bound)).toBeGreaterThan(0);
  });
});

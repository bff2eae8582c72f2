import { randomInt } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { RateLimiter, type RateLimitPolicy } from '../../../src/throttler/index.js';
import { nowUs } from '../../support/job-process.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  randomPrefix,
  sharedRedis,
} from '../../support/redis.js';
import { seededRandom } from '../../support/seeded-random.js';
import { throttlerApp } from '../../support/throttler-app.js';
import {
  overAdmission,
  rateBound,
  windowBound,
  wrongInSequence,
  type Bound,
} from '../../support/throttler-processes/over-admission.js';
import type { Decision, StormSettings } from '../../support/throttler-processes/protocol.js';
import { ThrottlerProcess } from '../../support/throttler-processes/throttler-process.js';

/*
 * Real processes, each of which takes it to be another time, ask about the same callers as often as they can. When each answer can have been decided is known by a
 * clock that all of them share, and what was admitted is held against the limits by it.
 * `SEED=<n>` repeats the choices of a run, `ROUNDS=<n>` makes it that many times as long.
 */

const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const ROUNDS = Number(process.env.ROUNDS ?? 1);
const PROCESSES = 8;
const HOUR_MS = 3_600_000;
const STORM_US = 1_200_000;
const ONCE_US = 600_000;
const LIMIT = 40;
const ONCE = 200;
const PLENTY = 1_000_000;

const POLICIES: readonly RateLimitPolicy[] = [
  { name: 'strict', limit: LIMIT, window: '300ms' },
  { name: 'log', limit: LIMIT, window: '300ms', algorithm: 'sliding-log' },
  { name: 'fixed', limit: LIMIT, window: '300ms', algorithm: 'fixed-window' },
  { name: 'steady', rate: '10/s', burst: LIMIT },
  { name: 'once', limit: ONCE, window: '1h' },
  { name: 'plenty', limit: PLENTY, window: '1h' },
];

/** What each admits, as the docs have it. */
const BOUNDS: readonly Bound[] = [
  windowBound('strict', LIMIT, 300_000),
  windowBound('log', LIMIT, 300_000),
  windowBound('fixed', 2 * LIMIT, 300_000),
  rateBound('steady', LIMIT, 100_000),
];

const random = seededRandom(SEED);
/** Up to an hour behind, or ahead. */
const SHIFTS_MS = Array.from({ length: PROCESSES }, () => Math.round((2 * random() - 1) * HOUR_MS));

let processes: readonly ThrottlerProcess[] = [];

beforeAll(async () => {
  processes = await ThrottlerProcess.start(SHIFTS_MS);
});
afterAll(() => Promise.all(processes.map((process) => process.end())));
// Hooks run in the order in which they stand: this one has to see what the ones above and below have closed.
expectNoLeakedConnections();

describeTopologies((topology) => {
  let prefix: string;
  let app: TestingModule;

  beforeEach(async () => {
    prefix = randomPrefix();
    const redis = sharedRedis(topology);
    app = await throttlerApp({ redis, prefix, throttler: { policies: POLICIES } });
    const clocks = await Promise.all(
      processes.map((process) => process.do('open', { redis, prefix, policies: POLICIES })),
    );
    const offBy = clocks.map((clockMs, i) => Math.abs(clockMs - Date.now() - (SHIFTS_MS[i] as number)));
    expect(Math.max(...offBy)).toBeLessThan(60_000);
  });
  afterEach(async () => {
    await app.close();
    await Promise.all(processes.map((process) => process.do('close', null)));
    await expectEveryKeyExpires(topology, prefix);
  });

  /** All processes at once. */
  async function storm(
    forUs: number,
    settings: Omit<StormSettings, 'seed' | 'untilUs' | 'workers'>,
  ): Promise<readonly Decision[]> {
    const untilUs = nowUs() + forUs * ROUNDS;
    const all = await Promise.all(
      processes.map((process, i) => process.do('storm', { ...settings, seed: SEED + i, untilUs, workers: 6 })),
    );
    return all.flat();
  }

  it(
    `admits no more than the limits, from eight processes whose clocks are wrong by up to an hour (SEED=${SEED})`,
    async () => {
      const choices = [['strict'], ['log'], ['fixed'], ['steady'], ['strict', 'log', 'fixed', 'steady']];
      const decisions = await storm(STORM_US, { by: 'rookery', choices, callers: ['alice', 'bob'], mostUnits: 3 });
      expect(BOUNDS.map((bound) => [bound.name, overAdmission(decisions, bound)])).toEqual(
        BOUNDS.map(({ name }) => [name, 0]),
      );
      const admitted = decisions.filter((decision) => decision.admitted);
      expect(admitted.length).toBeLessThan(decisions.length);
      expect(new Set(admitted.map(({ policies }) => policies.join()))).toEqual(new Set(choices.map(String)));
      const fromMemory = decisions.filter((decision) => decision.fromMemory);
      console.log(
        `${topology}, seed ${SEED}: ${decisions.length} decisions, ${fromMemory.length} from memory; ${admitted.length} admitted`,
      );
    },
    60_000 * ROUNDS,
  );

  it(
    'admits exactly the limit, one by one, and charges all of several policies or none',
    async () => {
      const callers = ['alice', 'bob'];
      const choices = [['once'], ['plenty', 'once'], ['once', 'plenty']];
      const decisions = await storm(ONCE_US, { by: 'rookery', choices, callers, mostUnits: 1 });
      expect(wrongInSequence(decisions, 'once', ONCE)).toEqual([]);
      for (const caller of callers) {
        const charged = decisions.filter(
          (decision) => decision.admitted && decision.caller === caller && decision.policies.includes('plenty'),
        );
        const { policies } = await app.get(RateLimiter).peek('plenty', caller);
        expect(policies[0]?.remaining).toBe(PLENTY - charged.length);
      }
    },
    60_000 * ROUNDS,
  );

  // The recipe knows no Cluster.
  if (topology === 'cluster') return;
  it('finds out the recipe of many articles', async () => {
    const decisions = await storm(ONCE_US, { by: 'recipe', choices: [['strict']], callers: ['alice'], mostUnits: 1 });
    expect(overAdmission(decisions, BOUNDS[0] as Bound)).toBeGreaterThan(0);
  });
});

import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import { eventually } from '../../../src/testing/index.js';
import { RateLimiter, type RateLimitPolicy } from '../../../src/throttler/index.js';
import { nowUs } from '../../support/job-process.js';
import {
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  keysUnder,
  randomPrefix,
  sharedRedis,
} from '../../support/redis.js';
import { seededRandom } from '../../support/seeded-random.js';
import { throttlerApp } from '../../support/throttler-app.js';
import { ThrottlerProcess } from '../../support/throttler-processes/throttler-process.js';
import { mostAtOnce } from '../../support/throttler-processes/works.js';

/** `SEED=<n>` repeats the choices of a run, `ROUNDS=<n>` makes it that many times as long. */
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const ROUNDS = Number(process.env.ROUNDS ?? 1);

const alive = new Set<ThrottlerProcess>();

async function start(count: number, prefix: string, policies: readonly RateLimitPolicy[]): Promise<ThrottlerProcess[]> {
  const started = [...(await ThrottlerProcess.start(Array.from({ length: count }, () => 0)))];
  for (const process of started) alive.add(process);
  const settings = { redis: sharedRedis('standalone'), prefix, policies };
  await Promise.all(started.map((process) => process.do('open', settings)));
  return started;
}

async function kill(process: ThrottlerProcess): Promise<void> {
  await process.kill();
  alive.delete(process);
}

describe('Processes that do at random all that a limiter can do, and are killed', () => {
  const OPERATIONS = 20_000 * ROUNDS;
  /** Of one process, before it is killed. */
  const MOST_OPERATIONS = 20_000;
  const A_JOB = 500;
  const CALLERS = Array.from({ length: 50 }, (_, i) => `caller-${i}`);
  /** All algorithms, and windows that end while the test goes on. */
  const POLICIES: readonly RateLimitPolicy[] = [
    { name: 'window', limit: 30, window: '400ms' },
    { name: 'half-a-second', limit: 5, window: '500ms', blockFor: '300ms' },
    { name: 'log', limit: 20, window: '1s', algorithm: 'sliding-log' },
    { name: 'fixed', limit: 20, window: '500ms', algorithm: 'fixed-window' },
    { name: 'estimate', limit: 20, window: '1h', algorithm: 'sliding-counter' },
    { name: 'bucket', capacity: 20, refill: '7/300ms' },
    { name: 'steady', rate: '7/s', burst: 7, blockFor: '10s' },
    { name: 'at-once', concurrent: 5, lease: '1s' },
  ];

  it(
    `leave no key behind that stays for ever (SEED=${SEED})`,
    async () => {
      const startedMs = performance.now();
      const prefix = randomPrefix();
      const random = seededRandom(SEED);
      const policies = POLICIES.map(({ name }) => name);
      let [operations, kills] = [0, 0];
      const life = async (first: number): Promise<void> => {
        for (let seed = first; operations < OPERATIONS; seed++) {
          const [process] = (await start(1, prefix, POLICIES)) as [ThrottlerProcess];
          const churn = (callers: readonly string[], operations: number) =>
            process.do('churn', { seed: (seed += 1), policies, callers, workers: 16, operations });
          for (let left = random() * MOST_OPERATIONS; left > 0 && operations < OPERATIONS; left -= A_JOB) {
            await churn(CALLERS, A_JOB);
            operations += A_JOB;
          }
          // The last callers are its own: whatever it leaves half done stays so.
          const lastCallers = CALLERS.map((caller) => `${caller}-${seed}`);
          const isOver = expect(churn(lastCallers, 1e9)).rejects.toThrow('The process ended');
          await delay(random() * 50);
          await kill(process);
          await isOver;
          kills += 1;
          await expectEveryKeyExpires('standalone', prefix);
        }
      };
      const lives = [life(SEED), life(SEED + 2 ** 31)];
      try {
        await Promise.all(lives);
      } finally {
        operations = OPERATIONS;
        await Promise.allSettled(lives);
      }
      // Those of windows of an hour at least: there was something to look at.
      expect((await keysUnder('standalone', prefix)).length).toBeGreaterThan(10);
      const seconds = Math.round((performance.now() - startedMs) / 1_000);
      console.log(`seed ${SEED}: ${operations} operations and ${kills} kills in ${seconds} s, and every key expires`);
    },
    120_000 * ROUNDS,
  );
});

describe('Slots', () => {
  const LEASE_MS = 1_000;
  const POLICIES = [{ name: 'two', concurrent: 2, lease: `${LEASE_MS}ms` }] as const;
  const prefix = randomPrefix();
  let app: TestingModule;
  let processes: ThrottlerProcess[];

  beforeAll(async () => {
    app = await throttlerApp({
      redis: sharedRedis('standalone'),
      prefix,
      throttler: { policies: POLICIES, maxCallers: 0 },
    });
    processes = await start(3, prefix, POLICIES);
  });
  afterAll(() => app.close());

  /** Works in this process, and resolves with whether there was room. */
  async function canWork(caller: string): Promise<boolean> {
    const { admitted, release } = await app.get(RateLimiter).consume('two', caller);
    await release();
    return admitted;
  }
  const hold = async (process: ThrottlerProcess, caller: string): Promise<unknown> =>
    process.do('hold', { policy: 'two', caller, forMs: 3_600_000 }).catch(() => 'killed');

  it('are never taken by more than so many at once, and all of them are, by works of three processes', async () => {
    const settings = { policy: 'two', caller: 'busy', workers: 3, mostMs: 20, untilUs: nowUs() + 1_000_000 };
    const all = await Promise.all(processes.map((process, i) => process.do('works', { ...settings, seed: SEED + i })));
    const works = all.flat();
    expect(mostAtOnce(works)).toBe(2);
    expect(works.length).toBeGreaterThan(20);
    expect((await app.get(RateLimiter).peek('two', 'busy')).policies[0]?.remaining).toBe(2);
  });

  it('are kept for as long as the work goes on, and after a kill -9 until the lease ends', async () => {
    const [holder] = processes as [ThrottlerProcess];
    const held = [hold(holder, 'alice'), hold(holder, 'alice')];
    await holder.untilItHolds(2);
    const untilMs = performance.now() + 2.2 * LEASE_MS;
    while (performance.now() < untilMs) expect(await canWork('alice')).toBe(false);

    await kill(holder);
    expect(await Promise.all(held)).toEqual(['killed', 'killed']);
    const [slots] = await keysUnder('standalone', `${prefix}:limit:{alice}`);
    const seenMs = performance.now();
    const leftMs = Number(
      await app
        .get(RedisConnections, { strict: false })
        .get()
        .send('PTTL', [slots as string]),
    );
    expect(leftMs).toBeGreaterThan(0);
    expect(await canWork('alice')).toBe(false);
    await eventually(async () => expect(await canWork('alice')).toBe(true), { within: '10s' });
    expect(performance.now() - seenMs).toBeGreaterThanOrEqual(leftMs - 1);
    const both = await Promise.all([1, 2].map(() => app.get(RateLimiter).consume('two', 'alice')));
    expect(both.map(({ admitted }) => admitted)).toEqual([true, true]);
    await Promise.all(both.map(({ release }) => release()));
  });

  it('of a process that stands still end with the lease, and those of one that goes on do not', async () => {
    const [, stopped, working] = processes as [ThrottlerProcess, ThrottlerProcess, ThrottlerProcess];
    const held = [stopped, working].map((process) => hold(process, 'bob'));
    await Promise.all([stopped, working].map((process) => process.untilItHolds(1)));
    expect(await canWork('bob')).toBe(false);
    stopped.pause();
    await eventually(async () => expect(await canWork('bob')).toBe(true), { within: '10s' });
    const untilMs = performance.now() + 1.2 * LEASE_MS;
    while (performance.now() < untilMs) {
      expect((await app.get(RateLimiter).peek('two', 'bob')).policies[0]?.remaining).toBe(1);
    }
    for (const process of [stopped, working]) await kill(process);
    expect(await Promise.all(held)).toEqual(['killed', 'killed']);
  });
});

afterAll(async () => {
  for (const process of alive) await kill(process);
});
expectNoLeakedConnections();

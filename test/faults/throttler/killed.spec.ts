import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { RateLimitPolicy } from '../../../src/throttler/index.js';
import { eventually } from '../../../src/testing/index.js';
import { expectEveryKeyExpires, keysUnder, randomPrefix, sharedRedis } from '../../support/redis.js';
import { seededRandom } from '../../support/seeded-random.js';
import type { OpenSettings } from '../../support/throttler-processes/protocol.js';
import { ThrottlerProcess } from '../../support/throttler-processes/throttler-process.js';

/** `SEED=<n>` repeats the choices of a run, `ROUNDS=<n>` makes it that many times as long. */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const ROUNDS = Number(process.env.ROUNDS ?? 1);
const OPERATIONS = 20_000 * ROUNDS;
const A_JOB = 500;

const LEASE_MS = 1_000;

/** All algorithms, and windows that end while the test goes on. */
const POLICIES: readonly RateLimitPolicy[] = [
  { name: 'window', limit: 30, window: '400ms' },
  { name: 'half-a-second', limit: 5, window: '500ms', blockFor: '300ms' },
  { name: 'log', limit: 20, window: '1s', algorithm: 'sliding-log' },
  { name: 'fixed', limit: 20, window: '500ms', algorithm: 'fixed-window' },
  { name: 'estimate', limit: 20, window: '1h', algorithm: 'sliding-counter' },
  { name: 'bucket', capacity: 20, refill: '7/300ms' },
  { name: 'steady', rate: '7/s', burst: 7, blockFor: '10s' },
  { name: 'at-once', concurrent: 5, lease: `${LEASE_MS}ms` },
];

let prefix: string;
let settings: OpenSettings;
const open = new Set<ThrottlerProcess>();

beforeEach(() => {
  prefix = randomPrefix();
  settings = { redis: sharedRedis('standalone'), prefix, policies: POLICIES };
});
afterEach(async () => {
  await Promise.all([...open].map((process) => process.kill()));
  open.clear();
});

async function newProcess(): Promise<ThrottlerProcess> {
  const [process] = (await ThrottlerProcess.open([0], settings)) as [ThrottlerProcess];
  open.add(process);
  return process;
}

it(
  `leaves no key for ever behind, though its processes are killed (SEED=${SEED}, ${OPERATIONS} operations)`,
  async () => {
    const random = seededRandom(SEED);
    const policies = POLICIES.map(({ name }) => name);
    const callers = Array.from({ length: 50 }, (_, i) => `caller-${i}`);
    let done = 0;
    let kills = 0;
    const life = async (first: number): Promise<void> => {
      for (let seed = first; done < OPERATIONS;) {
        const process = await newProcess();
        const jobs = 1 + Math.floor(random() * 20 * Math.sqrt(ROUNDS));
        for (let job = 0; job < jobs && done < OPERATIONS; job++) {
          await process.do('churn', { seed: seed++, policies, callers, workers: 16, operations: A_JOB });
          done += A_JOB;
        }
        // In the midst of the next.
        const unfinished = process.do('churn', { seed: seed++, policies, callers, workers: 16, operations: 1e9 });
        const isOver = expect(unfinished).rejects.toThrow('The process ended');
        await new Promise((resolve) => setTimeout(resolve, random() * 50));
        await process.kill();
        await isOver;
        open.delete(process);
        kills += 1;
      }
    };
    await Promise.all([life(SEED), life(SEED + 1e6)]);
    expect(kills).toBeGreaterThanOrEqual(2);
    expect((await keysUnder('standalone', prefix)).length).toBeGreaterThan(0);
    await expectEveryKeyExpires('standalone', prefix);
  },
  120_000 * ROUNDS,
);

it('keeps slots for as long as their work goes on, and frees those of a process that is killed with their lease', async () => {
  settings = { ...settings, policies: [{ name: 'two', concurrent: 2, lease: `${LEASE_MS}ms` }] };
  const [holder, other] = await Promise.all([newProcess(), newProcess()]);
  const hold = (process: ThrottlerProcess, forMs: number): Promise<boolean> =>
    process.do('hold', { policy: 'two', caller: 'alice', forMs });
  const long = [hold(holder, 3_600_000), hold(holder, 3_600_000)].map((held) => held.catch(() => 'killed'));
  await holder.untilItHolds(2);
  // For longer than two leases there is no room.
  const untilMs = performance.now() + 2.5 * LEASE_MS;
  while (performance.now() < untilMs) expect(await hold(other, 0)).toBe(false);
  await holder.kill();
  expect(await Promise.all(long)).toEqual(['killed', 'killed']);
  const killedMs = performance.now();
  await eventually(async () => expect(await hold(other, 0)).toBe(true), { within: '10s' });
  // Its last renewal was a third of a lease before it was killed, at most.
  expect(performance.now() - killedMs).toBeGreaterThan(LEASE_MS / 2);
  expect(await Promise.all([hold(other, 1), hold(other, 1)])).toEqual([true, true]);
}, 60_000);

it('frees the slots of a process that stands still', async () => {
  settings = { ...settings, policies: [{ name: 'two', concurrent: 2, lease: `${LEASE_MS}ms` }] };
  const [holder, other] = await Promise.all([newProcess(), newProcess()]);
  const held = holder.do('hold', { policy: 'two', caller: 'alice', forMs: 3_600_000 }).catch(() => 'killed');
  await holder.untilItHolds(1);
  holder.pause();
  const both = async (): Promise<readonly boolean[]> =>
    Promise.all([1, 2].map(() => other.do('hold', { policy: 'two', caller: 'alice', forMs: 20 })));
  await eventually(async () => expect(await both()).toEqual([true, true]), { within: '10s' });
  await holder.kill();
  expect(await held).toBe('killed');
}, 60_000);

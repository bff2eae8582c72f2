import { randomInt } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { LockService } from '../../../src/lock/index.js';
import { eventually } from '../../../src/testing/index.js';
import { nowUs } from '../../support/job-process.js';
import { lockApp } from '../../support/lock-app.js';
import type { Claim, Wish } from '../../support/lock-processes/claims.js';
import { doubleHolders, mostUnits, queueJumpers, wrongFences } from '../../support/lock-processes/history.js';
import type { LockProcess } from '../../support/lock-processes/lock-process.js';
import type { StormSettings } from '../../support/lock-processes/protocol.js';
import { Spares } from '../../support/lock-processes/spares.js';
import { OwnTime } from '../../support/own-time.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  randomPrefix,
  sharedRedis,
  type SharedTopology,
} from '../../support/redis.js';

/*
 * Eight processes take few locks as often as they can, and what each knows of when it had them is held against what locks promise: nobody has one with another, and nobody
 * comes before those who waited when he asked. Then some of them are killed while they hold, or wait.
 * `SEED=<n>` repeats the choices of a run, `ROUNDS=<n>` makes it that many times as long.
 */

const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const ROUNDS = Number(process.env.ROUNDS ?? 1);
const PROCESSES = 8;
const STORM_US = 2_500_000;
const READS_US = 1_200_000;
/** As many as there are readers, and more. */
const READERS = 1_000;
const PERMITS = 3;

const MUTEX: Wish = { resource: 'mutex', units: 1, of: 1, as: 'write' };
const READER: Wish = { resource: 'book', units: 1, of: READERS, as: 'read' };
const WRITER: Wish = { resource: 'book', units: READERS, of: READERS, as: 'write' };
const permits = (units: number): Wish => ({ resource: 'desks', units, of: PERMITS, as: 'permits' });

const spares = new Spares();
let processes: readonly LockProcess[] = [];

beforeAll(async () => {
  processes = await spares.start(PROCESSES);
}, 120_000);
afterAll(() => spares.close());
// Hooks run in the order in which they stand: this one has to see what the ones above and below have closed.
expectNoLeakedConnections();

/** Where the tests of a topology run: the locks of this process, and those of all the others. */
interface Place {
  prefix: string;
  app: TestingModule;
  locks: LockService;
}

/** A new place for each test. */
function placeOn(topology: SharedTopology): Place {
  const place = {} as Place;
  beforeEach(async () => {
    const redis = sharedRedis(topology);
    place.prefix = randomPrefix();
    place.app = await lockApp({ redis, prefix: place.prefix, lock: { ttl: '60s', wait: '60s' } });
    place.locks = place.app.get(LockService);
    const settings = { redis, prefix: place.prefix, by: 'rookery', redisDeadlineMs: 20_000 } as const;
    await Promise.all(processes.map((process, i) => process.do('open', { ...settings, process: `p${i}` })));
  });
  afterEach(async () => {
    await Promise.all(processes.map((process) => process.do('close', null)));
    await place.app.close();
    await expectEveryKeyExpires(topology, place.prefix);
  });
  return place;
}

describe('Locks of eight processes', () => {
  describeTopologies((topology) => {
    placeOn(topology);

    /** All processes at once, each with what it wants. */
    async function storm(
      forUs: number,
      of: (index: number) => Pick<StormSettings, 'wishes' | 'workers' | 'mostMs' | 'impatience'>,
    ): Promise<readonly Claim[]> {
      const untilUs = nowUs() + forUs * ROUNDS;
      const all = await Promise.all(
        processes.map((process, i) => process.do('storm', { ...of(i), seed: SEED + i, untilUs })),
      );
      return all.flat();
    }

    function expectOrder(claims: readonly Claim[]): void {
      expect(doubleHolders(claims)).toEqual([]);
      expect(queueJumpers(claims)).toEqual([]);
      expect(wrongFences(claims)).toEqual([]);
    }

    it(
      `are held by no more than may hold them, and in the order of the queue (SEED=${SEED})`,
      async () => {
        const wishes = [MUTEX, MUTEX, READER, READER, READER, WRITER, permits(1), permits(1), permits(2), permits(3)];
        const claims = await storm(STORM_US, () => ({ wishes, workers: 4, mostMs: 3, impatience: 0.1 }));
        expectOrder(claims);
        const desks = claims.filter(({ resource }) => resource === 'desks');
        expect(mostUnits(desks)).toBe(PERMITS);
        expect(mostUnits(claims.filter(({ as }) => as === 'read'))).toBeGreaterThan(1);
        // Something was there to be seen: many were in the queue, and were known to be.
        const queued = claims.filter(({ queuedUs, isLate }) => queuedUs !== null && !isLate);
        expect(queued.length).toBeGreaterThan(100);
        console.log(`${topology}, seed ${SEED}: ${claims.length} grants, ${queued.length} of them from the queue`);
      },
      90_000 + 10_000 * ROUNDS,
    );

    it(
      'let a writer have its turn among readers that never pause',
      async () => {
        const claims = await storm(READS_US, (i) => ({
          wishes: [i === 0 ? WRITER : READER],
          workers: i === 0 ? 1 : 3,
          mostMs: 10,
          impatience: 0,
        }));
        expectOrder(claims);
        expect(mostUnits(claims.filter(({ as }) => as === 'read'))).toBeGreaterThan(2);
        expect(claims.filter(({ as }) => as === 'write').length).toBeGreaterThan(5);
      },
      90_000 + 10_000 * ROUNDS,
    );
  });
});

// Behind those that need all of them.
describe('Locks of a process that is killed', () => {
  describeTopologies((topology) => {
    const place = placeOn(topology);

    async function untilWaiting(count: number): Promise<void> {
      await eventually(async () => expect((await place.locks.inspect([MUTEX.resource])).waiting).toBe(count), {
        within: '20s',
        every: '5ms',
      });
    }

    async function killLast(): Promise<void> {
      const victim = processes.at(-1) as LockProcess;
      await spares.kill(victim);
      processes = processes.slice(0, -1);
    }

    // Another for each that is killed.
    beforeAll(async () => {
      const missing = PROCESSES - processes.length;
      if (missing > 0) processes = [...processes, ...(await spares.start(missing))];
    });

    const hold = (process: LockProcess, ttlMs: number): Promise<Claim> => process.do('hold', { wish: MUTEX, ttlMs });

    it('go to the one behind a waiter that was killed', async () => {
      const [behind] = processes as [LockProcess];
      const mine = await place.locks.acquire([MUTEX.resource]);
      const killed = hold(processes.at(-1) as LockProcess, 60_000).catch(() => 'killed');
      await untilWaiting(1);
      const waiting = hold(behind, 60_000);
      await untilWaiting(2);
      await killLast();
      expect(await killed).toBe('killed');
      using time = new OwnTime();
      await mine.release();
      await waiting;
      const tookMs = Math.round(time.ms);
      console.log(`${topology}: behind a killed waiter after ${tookMs} ms`);
      // On a cluster nobody can tell that the one before it is not there, for whom it is kept for a second.
      expect(tookMs).toBeLessThan(topology === 'cluster' ? 2_000 : 1_000);
      await behind.do('letGo', null);
    });

    /** How long it takes until `waiting` has the lock of a holder that stands still. */
    async function tookBehind(holder: LockProcess, waiting: Promise<Claim>, what: string): Promise<number> {
      holder.pause();
      try {
        using time = new OwnTime();
        await waiting;
        const tookMs = Math.round(time.ms);
        console.log(`${topology}: ${what} in ${tookMs} ms`);
        return tookMs;
      } finally {
        holder.resume();
      }
    }

    it('go to the second waiter a second after the lease of the holder, when the first one is gone too', async () => {
      const ttlMs = 400;
      const [second, holder] = processes as [LockProcess, LockProcess];
      await hold(holder, ttlMs);
      const killed = hold(processes.at(-1) as LockProcess, 60_000).catch(() => 'killed');
      await untilWaiting(1);
      const waiting = hold(second, 60_000);
      await untilWaiting(2);
      await killLast();
      expect(await killed).toBe('killed');
      const tookMs = await tookBehind(holder, waiting, 'after a holder that stood still and a killed first waiter');
      // On a cluster it is kept for a second for the one of whom nobody can tell that it is gone.
      expect(tookMs).toBeLessThan(ttlMs + (topology === 'cluster' ? 3_500 : 2_500));
      await second.do('letGo', null);
      await holder.do('letGo', null);
    });

    it('are looked at when a lease ends by the first waiter that is there, though another was to be the first', async () => {
      // On a cluster nobody can tell that it is not.
      if (topology === 'cluster') return;
      const ttlMs = 400;
      const [last, holder] = processes as [LockProcess, LockProcess];
      const mine = await place.locks.acquire([MUTEX.resource]);
      const held = hold(holder, ttlMs);
      await untilWaiting(1);
      const killed = hold(processes.at(-1) as LockProcess, 60_000).catch(() => 'killed');
      await untilWaiting(2);
      const waiting = hold(last, 60_000);
      await untilWaiting(3);
      await killLast();
      expect(await killed).toBe('killed');
      await mine.release();
      await held;
      const tookMs = await tookBehind(holder, waiting, 'after a holder that stood still, with a killed waiter between');
      expect(tookMs).toBeLessThan(ttlMs + 1_000);
      await last.do('letGo', null);
      await holder.do('letGo', null);
    });

    it('go to the next when the lease of a killed holder ends, also where several wait', async () => {
      const ttlMs = 400;
      const [next, last] = processes as [LockProcess, LockProcess];
      const mine = await place.locks.acquire([MUTEX.resource]);
      // It holds what it had to wait for, as nearly all do where there are waiters.
      const held = hold(processes.at(-1) as LockProcess, ttlMs);
      await untilWaiting(1);
      const waiting = hold(next, ttlMs);
      await untilWaiting(2);
      const lastWaiting = hold(last, ttlMs);
      await untilWaiting(3);
      await mine.release();
      await held;
      await killLast();
      using time = new OwnTime();
      await waiting;
      const tookMs = Math.round(time.ms);
      console.log(`${topology}: after a killed holder in ${tookMs} ms, of which its lease took ${ttlMs} at most`);
      expect(tookMs).toBeLessThan(ttlMs + 1_000);
      await next.do('letGo', null);
      await lastWaiting;
      await last.do('letGo', null);
    });
  });
});

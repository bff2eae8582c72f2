import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { capped, nowMs } from '../lib/clock.mjs';
import { serve } from '../lib/crew.mjs';
import { lockers } from '../lib/lockers/index.mjs';

/** A waiter whose locker does not tell who waits is taken to wait after so long. */
const ASKED_AFTER_MS = 3;

/** What has not come so long after the wait's end will not come. */
const GRACE_MS = 1_000;

const LATE = Symbol('late');

/** A process that calls for locks. Each setup `{ name, locker, ... }` has a locker of its own here; times are on the clock that all processes share. */
serve(async ({ setups, redis, ttlMs, waitMs }) => {
  const open = new Map();
  for (const { name, locker, ...settings } of setups) {
    open.set(name, await lockers[locker]({ redis, ttlMs, waitMs, ...settings }));
  }
  let held;
  let waiters = [];
  let newcomers;

  /** When it has the lock, and when it begins to give it back; null when it never has it. */
  const turn = async (locker, name, holdMs) => {
    const askedMs = nowMs();
    const handle = await capped(locker.acquire(name).catch(gaveUp), waitMs + GRACE_MS, LATE);
    if (handle === LATE) return null;
    const acquiredMs = nowMs();
    await sleep(holdMs);
    const releasedMs = nowMs();
    await locker.release(handle);
    return { askedMs, acquiredMs, releasedMs };
  };

  return {
    async hold({ setup, lock }) {
      const locker = open.get(setup);
      held = { locker, handle: await locker.acquire(lock) };
    },
    /** Resolves with when it began. */
    async letGo() {
      const beganMs = nowMs();
      await held.locker.release(held.handle);
      return beganMs;
    },
    /** Resolves as soon as it waits, as the one of that place. */
    async enqueue({ setup, lock, place, holdMs }) {
      const locker = open.get(setup);
      waiters.push(turn(locker, lock, holdMs).then((had) => ({ place, had })));
      if (locker.waiting === undefined) await sleep(ASKED_AFTER_MS);
      else while ((await locker.waiting(lock)) < place) await sleep(1);
    },
    /** Resolves when everybody who was enqueued here has had the lock, or has given up. */
    async served() {
      const all = await Promise.all(waiters);
      waiters = [];
      return all;
    },
    /** Asks without a break, and never waits. */
    startNewcomer({ setup, lock, holdMs }) {
      const locker = open.get(setup);
      const grantsMs = [];
      const one = { isAsking: true };
      const ask = async () => {
        while (one.isAsking) {
          const handle = await locker.tryAcquire(lock);
          if (handle !== null) {
            grantsMs.push(nowMs());
            await sleep(holdMs);
            await locker.release(handle);
          }
          await nextTurn();
        }
        return grantsMs;
      };
      newcomers = { stop: () => (one.isAsking = false), asking: ask() };
    },
    /** Resolves with when it was let in. */
    stopNewcomer() {
      newcomers.stop();
      return newcomers.asking;
    },
    /** So many callers want the same lock again and again until that moment. Resolves with the turns of each. */
    contend({ setup, lock, callers, holdMs, untilMs }) {
      const locker = open.get(setup);
      const caller = async () => {
        const turns = [];
        while (nowMs() < untilMs) {
          const had = await turn(locker, lock, holdMs);
          if (had === null) break;
          turns.push(had);
        }
        return turns;
      };
      return Promise.all(Array.from({ length: callers }, caller));
    },
    async close() {
      for (const locker of open.values()) await locker.close();
    },
  };
});

function gaveUp() {
  return LATE;
}

import { describe, expect, it } from '@jest/globals';
import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import { FakeClock } from '../../testing/index.js';
import { LockLostError, type LossReason } from '../lock.errors.js';
import { Lease } from './lease.js';

/** What Redis says to a command that prolongs the lease, and what it does. */
type Answer = boolean | 'unknown' | 'not sent' | 'hangs';

const AWAY = (mayHaveRun: boolean): Error =>
  new RedisUnavailableError('deadline', { connection: 'default', mayHaveRun });

/** Redis as it would keep the lease, and a holder's view of that. */
function hold({
  clock = new FakeClock(),
  ttlMs = 30_000,
  sentMs = 0,
  grantedMs = undefined as number | undefined,
  maxHoldMs = 900_000,
  tookMs = 0,
  answers = [] as Answer[],
} = {}) {
  const asked: { readonly atMs: number; readonly ttlMs: number }[] = [];
  const lost: LossReason[] = [];
  let endsMs = sentMs + (grantedMs ?? ttlMs);
  const extend = async (forMs: number): Promise<boolean> => {
    const atMs = clock.monotonicMs();
    asked.push({ atMs, ttlMs: forMs });
    const answer = answers.shift() ?? true;
    if (answer === true || answer === 'unknown') endsMs = atMs + forMs;
    await new Promise<void>((resolve) => {
      if (answer !== 'hangs') clock.setTimeout(resolve, tookMs);
    });
    if (typeof answer === 'boolean') return answer;
    throw AWAY(answer === 'unknown');
  };
  const lease = new Lease(clock, {
    ttlMs,
    sentMs,
    grantedMs: grantedMs ?? ttlMs,
    maxHoldMs,
    extend,
    onLost: (reason) => lost.push(reason),
  });
  return { clock, lease, asked, lost, endsMs: () => endsMs };
}

const NEVER: readonly Answer[] = Array.from({ length: 1_000 }, () => 'not sent');

describe('a lease', () => {
  it('ends for its holder before it can have ended for others, counted from when the command left, though Redis says nothing', async () => {
    const clock = new FakeClock();
    await clock.advance('5s');
    const { lease, lost } = hold({ clock, sentMs: 3_000, maxHoldMs: 0 });
    const { signal } = lease;
    await clock.advance('27s');
    expect([lease.isHeld, signal.aborted, lost]).toEqual([true, false, []]);
    // One percent and 2 ms of it are for clocks that run apart.
    await clock.advance('698ms');
    expect([lease.isHeld, lease.leftMs, signal.aborted, lost]).toEqual([false, 0, true, ['lease-ended']]);
    expect(signal.reason).toBeInstanceOf(LockLostError);
    expect(signal.reason).toMatchObject({ code: 'ROOKERY_LOCK_LOST', reason: 'lease-ended' });
    expect(lease.lost).toBe(signal.reason);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([10, 11, 50, 1_000, 30_000, 86_400_000])('of %d ms leaves some time, and a margin for clocks', (ttlMs) => {
    const { lease } = hold({ ttlMs });
    expect(lease.leftMs).toBeGreaterThan(0.6 * ttlMs);
    expect(lease.leftMs).toBeLessThan(ttlMs - ttlMs / 100 - 2);
  });

  it('has ended from the start when the answer took too long', async () => {
    const clock = new FakeClock();
    await clock.advance('1s');
    const { lease } = hold({ clock, ttlMs: 500 });
    expect([lease.isHeld, lease.leftMs, lease.lost?.reason]).toEqual([false, 0, 'lease-ended']);
  });

  it('is prolonged after every third of it, each time for the whole of it from then on', async () => {
    const { clock, lease, asked, lost } = hold();
    await clock.advance('1m');
    expect(asked).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000].map((atMs) => ({ atMs, ttlMs: 30_000 })));
    expect(lease.leftMs).toBe(29_648);
    expect(lost).toEqual([]);
  });

  it('counts from when the command that prolongs it left, not from its answer', async () => {
    const { clock, lease } = hold({ tookMs: 4_000 });
    await clock.advance('14s');
    expect(lease.leftMs).toBe(29_648 - 4_000);
  });

  it('is not prolonged by itself when it shall not be', async () => {
    const { clock, asked, lost } = hold({ maxHoldMs: 0 });
    await clock.advance('1m');
    expect([asked, lost]).toEqual([[], ['lease-ended']]);
  });

  it('goes on trying while Redis does not answer, and is saved by the first answer', async () => {
    const { clock, lease, asked, lost } = hold({ answers: ['not sent', 'unknown', 'not sent'] });
    await clock.advance('25s');
    expect(asked.map(({ atMs }) => atMs)).toEqual([10_000, 13_000, 16_000, 19_000]);
    expect([lease.leftMs, lost]).toEqual([29_648 - 6_000, []]);
  });

  it('tries no more than every 20 ms, and ends in time when all was in vain', async () => {
    const { clock, lease, asked, lost } = hold({ ttlMs: 100, answers: [...NEVER] });
    const { signal } = lease;
    await clock.advance('1s');
    expect(asked.map(({ atMs }) => Math.round(atMs))).toEqual([33, 53, 73]);
    expect([lost, signal.aborted, clock.pendingTimers]).toEqual([['lease-ended'], true, 0]);
  });

  it('ends in time while a command hangs', async () => {
    const { clock, asked, lost } = hold({ answers: ['hangs'] });
    await clock.advance('29s');
    expect(lost).toEqual([]);
    await clock.advance('648ms');
    expect([asked.length, lost, clock.pendingTimers]).toEqual([1, ['lease-ended'], 0]);
  });

  it('is lost as soon as Redis says that it belongs to somebody else', async () => {
    const { clock, lease, lost } = hold({ answers: [false] });
    const { signal } = lease;
    await clock.advance('10s');
    expect([lost, lease.isHeld, signal.aborted]).toEqual([['taken-away'], false, true]);
    expect(await lease.extend()).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends for good when it has been held for long enough, after one last and shorter time', async () => {
    const { clock, asked, lost } = hold({ maxHoldMs: 65_000 });
    await clock.advance('64s');
    expect(lost).toEqual([]);
    expect(asked.slice(-2)).toEqual([
      { atMs: 30_000, ttlMs: 30_000 },
      { atMs: 40_000, ttlMs: 25_000 },
    ]);
    await clock.advance('1s');
    expect([lost, clock.pendingTimers]).toEqual([['max-hold'], 0]);
  });

  it('is never prolonged past the end of the hold, nor again and again for less and less, whatever fails', async () => {
    for (const maxHoldMs of [20, 29_999, 30_001, 31_000, 45_000, 100_000]) {
      for (const failures of [0, 1, 2, 3]) {
        const { clock, asked, lost, endsMs } = hold({ maxHoldMs, answers: NEVER.slice(0, failures) });
        await clock.advance('3m');
        expect(lost).toEqual(['max-hold']);
        expect(asked.length).toBeLessThan(maxHoldMs / 10_000 + failures + 2);
        expect(Math.max(30_000, maxHoldMs + 1)).toBeGreaterThanOrEqual(endsMs());
      }
    }
  });

  it('is prolonged on demand, and by as much each time after that', async () => {
    const { clock, lease, asked } = hold();
    await clock.advance('1s');
    expect(await run(clock, lease.extend(60_000))).toBe(true);
    expect(lease.leftMs).toBe(60_000 - 602 - 50);
    await clock.advance('20s');
    expect(asked).toEqual([
      { atMs: 1_000, ttlMs: 60_000 },
      { atMs: 21_000, ttlMs: 60_000 },
    ]);
  });

  it('rejects on demand when Redis is away, and goes on as it was', async () => {
    const { clock, lease, lost } = hold({ answers: ['not sent'] });
    await expect(run(clock, lease.extend(60_000))).rejects.toMatchObject({ code: 'ROOKERY_REDIS_UNAVAILABLE' });
    expect([lease.leftMs, lost]).toEqual([29_648, []]);
  });

  it.each<Answer>(['unknown', 'hangs'])(
    'is not relied on for longer than what it was asked for last, when that is shorter and the answer is: %s',
    async (answer) => {
      const { clock, lease, endsMs, lost } = hold({ maxHoldMs: 0, answers: [answer] });
      lease.extend(1_000).catch(() => undefined);
      expect(lease.leftMs).toBeLessThan(1_000);
      await clock.advance('999ms');
      expect(clock.monotonicMs()).toBeLessThan(endsMs());
      expect([lease.isHeld, lost]).toEqual([false, ['lease-ended']]);
    },
  );

  it('is relied on as before when a shorter one was surely not carried out', async () => {
    const { clock, lease, lost } = hold({ maxHoldMs: 0, answers: ['not sent'] });
    await expect(run(clock, lease.extend(1_000))).rejects.toMatchObject({ mayHaveRun: false });
    await clock.advance('5s');
    expect([lease.leftMs, lost]).toEqual([24_648, []]);
  });

  it('asks one at a time, so that the last one asked for is the one that counts', async () => {
    const { clock, lease, asked, endsMs } = hold({ tookMs: 500, maxHoldMs: 0 });
    const both = Promise.all([lease.extend(120_000), lease.extend(5_000)]);
    await clock.advance('400ms');
    expect(asked.length).toBe(1);
    expect(await run(clock, both, '2s')).toEqual([true, true]);
    expect(asked.map(({ ttlMs }) => ttlMs)).toEqual([120_000, 5_000]);
    expect(clock.monotonicMs() + lease.leftMs).toBeLessThan(endsMs());
    expect(lease.ttlMs).toBe(5_000);
  });

  it('that was granted for a while only is prolonged at once, and relied on for no more than the while until that is answered', async () => {
    for (const maxHoldMs of [900_000, 0]) {
      const { clock, lease, asked } = hold({ grantedMs: 1_000, tookMs: 100, maxHoldMs });
      expect(asked).toEqual([{ atMs: 0, ttlMs: 30_000 }]);
      expect(lease.leftMs).toBe(1_000 - 12 - 50);
      await clock.advance('100ms');
      expect(lease.leftMs).toBe(29_648 - 100);
      await clock.advance('11s');
      expect(asked.length).toBe(maxHoldMs === 0 ? 1 : 2);
    }
  });

  it('that was granted for longer than it was asked for is made as short', async () => {
    const { clock, lease, asked, endsMs, lost } = hold({ ttlMs: 100, grantedMs: 1_000, maxHoldMs: 0 });
    expect(lease.leftMs).toBeLessThan(100);
    await clock.advance('1s');
    expect([asked, lost, endsMs()]).toEqual([[{ atMs: 0, ttlMs: 100 }], ['lease-ended'], 100]);
  });

  it('that was granted for a while only is tried for until that ends, and no longer', async () => {
    const saved = hold({ grantedMs: 1_000, answers: ['unknown', 'not sent'], maxHoldMs: 0 });
    await saved.clock.advance('5s');
    expect(saved.asked.map(({ atMs }) => atMs)).toEqual([0, 100, 200]);
    expect([saved.lost, saved.lease.leftMs]).toEqual([[], 29_648 - 4_800]);
    const lost = hold({ grantedMs: 1_000, answers: [...NEVER] });
    await lost.clock.advance('5s');
    expect([lost.asked.length, lost.lost, lost.clock.pendingTimers]).toEqual([10, ['lease-ended'], 0]);
  });

  it('that was granted for a while only, which is over, is lost, and nothing is asked', async () => {
    const clock = new FakeClock();
    await clock.advance('1s');
    const { lease, asked, lost } = hold({ clock, grantedMs: 1_000 });
    expect([lease.isHeld, asked]).toEqual([false, []]);
    await clock.advance('1ms');
    expect([lost, clock.pendingTimers]).toEqual([['lease-ended'], 0]);
  });

  it('is saved by an answer that had come while the process stood still, and was not read', async () => {
    const { clock, lease, lost } = hold({ grantedMs: 1_000, tookMs: 100, maxHoldMs: 0 });
    const { signal } = lease;
    const still = standStill(clock, 2_000);
    expect([lease.isHeld, lease.isInDoubt]).toEqual([false, true]);
    // The timers that are due ring, and only then is read what has come.
    await clock.advance('99ms');
    expect([signal.aborted, lost]).toEqual([false, []]);
    await clock.advance('1ms');
    expect([lease.isInDoubt, lease.leftMs, lease.end()]).toEqual([false, 29_648 - 2_100, true]);
    still.restore();
    await nextTurn();
    expect([signal.aborted, lost, clock.pendingTimers]).toEqual([false, [], 0]);
  });

  it('is lost when there was no such answer, as soon as all is read', async () => {
    const { clock, lease, lost } = hold({ grantedMs: 1_000, answers: ['hangs'], maxHoldMs: 0 });
    const still = standStill(clock, 2_000);
    await clock.advance('1s');
    await nextTurn();
    expect([lost, lease.isInDoubt]).toEqual([['lease-ended'], false]);
    still.restore();
    expect(clock.pendingTimers).toBe(0);
  });

  it('is known to be lost at first look by a process that stood still, before any timer rings', async () => {
    const { clock, lease, lost } = hold();
    const still = standStill(clock, 29_700);
    expect(lease.isHeld).toBe(false);
    expect(lease.lost?.reason).toBe('lease-ended');
    expect(lost).toEqual(['lease-ended']);
    expect(lease.end()).toBe(false);
    still.restore();
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends in time also when the process stood still between a look at the clock and the setting of the timer', async () => {
    const clock = new FakeClock();
    const [now, set] = [clock.monotonicMs.bind(clock), clock.setTimeout.bind(clock)];
    let stoodStillMs = 0;
    clock.monotonicMs = () => now() + stoodStillMs;
    clock.setTimeout = (run, ms) => {
      stoodStillMs = 20_000;
      return set(run, ms);
    };
    const { lost } = hold({ clock, maxHoldMs: 0 });
    await clock.advance('9646ms');
    expect(lost).toEqual([]);
    await clock.advance('2ms');
    expect([lost, clock.pendingTimers]).toEqual([['lease-ended'], 0]);
  });

  it('is not saved by an answer that comes when it has ended', async () => {
    const { clock, lease, lost } = hold({ ttlMs: 1_000, tookMs: 2_000 });
    const extended = lease.extend();
    await clock.advance('3s');
    expect(await extended).toBe(false);
    expect([lost, lease.isHeld, clock.pendingTimers]).toEqual([['lease-ended'], false, 0]);
  });

  it('leaves no timer when it is over, and says whether it was held until then', async () => {
    const { clock, lease, asked, lost } = hold({ tookMs: 100 });
    await clock.advance('10050ms');
    expect(asked.length).toBe(1);
    expect(lease.end()).toBe(true);
    expect(lease.end()).toBe(false);
    await clock.advance('1m');
    expect([asked.length, lost, lease.isHeld, lease.signal.aborted]).toEqual([1, [], false, false]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is lost once, whatever comes later, and tells a signal that is asked for afterwards', async () => {
    const { lease, lost, clock } = hold();
    lease.lose('closing');
    lease.lose('taken-away');
    expect(lost).toEqual(['closing']);
    expect(lease.signal.reason).toMatchObject({ reason: 'closing' });
    expect(clock.pendingTimers).toBe(0);
  });
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lets as much time pass as a command takes. */
async function run<T>(clock: FakeClock, promise: Promise<T>, within: '0ms' | '2s' = '0ms'): Promise<T> {
  const settled = promise.then(
    (value) => () => value,
    (error: unknown) => () => {
      throw error;
    },
  );
  await clock.advance(within);
  return (await settled)();
}

/** The clock goes on, and no timer rings, as when the process is stopped. */
function standStill(clock: FakeClock, ms: number): { restore: () => void } {
  const now = clock.monotonicMs.bind(clock);
  clock.monotonicMs = () => now() + ms;
  return { restore: () => (clock.monotonicMs = now) };
}

import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../../testing/index.js';
import { Lease } from './lease.js';

const LEASE_MS = 15_000;

/** A lease whose renewals are answered as told, after `tookMs`. */
function hold({
  clock = new FakeClock(),
  claimedMs = 0,
  tookMs = 0,
  answers = [] as readonly (boolean | Error)[],
} = {}) {
  const left = [...answers];
  const asked: number[] = [];
  let lostMs: number | undefined;
  let losses = 0;
  const renew = async (): Promise<boolean> => {
    asked.push(clock.monotonicMs());
    const answer = left.shift() ?? new Error('away');
    await new Promise<void>((resolve) => clock.setTimeout(resolve, tookMs));
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const onLost = (): void => {
    losses += 1;
    lostMs = clock.monotonicMs();
  };
  const lease = new Lease({ renew }, { number: 1, token: 'token' }, { leaseMs: LEASE_MS, claimedMs, clock, onLost });
  return { clock, lease, asked, lostMs: () => lostMs, losses: () => losses };
}

describe('a lease', () => {
  it('ends, for who holds it, before it ends for the others, counted from when the claim was sent', async () => {
    const clock = new FakeClock();
    await clock.advance('4s');
    const { lostMs } = hold({ clock, claimedMs: 1_000 });
    await clock.advance('1m');
    expect(lostMs()).toBe(1_000 + 0.9 * LEASE_MS);
  });

  it('is lost at once when the claim took longer than it', async () => {
    const clock = new FakeClock();
    await clock.advance('20s');
    expect(hold({ clock, claimedMs: 1_000 }).lostMs()).toBe(20_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('goes on from when a renewal was sent, however late its answer comes', async () => {
    const { clock, asked, lostMs } = hold({ answers: [true], tookMs: 8_000 });
    await clock.advance('1m');
    expect(asked[0]).toBe(5_000);
    expect(lostMs()).toBe(5_000 + 0.9 * LEASE_MS);
  });

  it('lasts for as long as it is renewed, and survives a renewal that fails', async () => {
    const { clock, asked, lostMs, lease } = hold({ answers: [true, new Error('away'), true, new Error('away'), true] });
    await clock.advance('25s');
    expect(asked).toHaveLength(5);
    expect(lostMs()).toBeUndefined();
    lease.release();
    await clock.advance('1m');
    expect(lostMs()).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it('is lost when the batch belongs to somebody else, and asks no more', async () => {
    const { clock, asked, lostMs, losses } = hold({ answers: [false] });
    await clock.advance('1m');
    expect([lostMs(), losses(), asked.length]).toEqual([5_000, 1, 1]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('runs out unrenewed once the batch is being settled', async () => {
    const { clock, asked, lostMs, lease } = hold({ answers: [true, true, true] });
    await clock.advance('6s');
    lease.stopRenewing();
    await clock.advance('1m');
    expect(asked).toHaveLength(1);
    expect(lostMs()).toBe(5_000 + 0.9 * LEASE_MS);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Clock } from '../../core/time/clock.js';
import type { RateLimitPolicy } from '../policies/policy.options.js';
import { PolicyRegistry } from '../policies/policy-registry.js';
import { Ask } from './ask.js';
import { LocalLimits } from './local-limits.js';
import type { Verdict } from './verdict.js';

/** A clock that is set, and not waited for. */
class Hand implements Pick<Clock, 'monotonicMs'> {
  constructor(public nowMs = 1_000_000) {}

  monotonicMs(): number {
    return this.nowMs;
  }
}

interface Setting {
  readonly instances?: number;
  readonly maxCallers?: number;
  readonly held?: (key: string) => number;
}

/** What a process decides by these policies. */
function limits(policies: readonly RateLimitPolicy[], { instances = 1, maxCallers = 1_000, held }: Setting = {}) {
  const hand = new Hand();
  const registry = new PolicyRegistry(policies, { tracker: () => '', whenRedisIsDown: 'local' }, 'app');
  const local = new LocalLimits(hand as unknown as Clock, instances, maxCallers, held ?? (() => 0));
  const consume = (units = 1, caller = 'alice', names = policies.map(({ name }) => name)): Verdict => {
    const uses = names.map((name) => registry.use(registry.get(name), registry.callerKey(caller), units));
    return local.consume(new Ask(uses, 0));
  };
  return { hand, consume };
}

const window = { name: 'window', limit: 10, window: '1s' } as const;
const admissions = (times: number, consume: () => Verdict): number =>
  Array.from({ length: times }, consume).filter(({ admitted }) => admitted).length;

describe('LocalLimits', () => {
  it('never admit more than the share of the limit in any window, and what they refuse has room when they say', () => {
    const steps = fc.array(
      fc.record({
        wait: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.nat(2_500)),
        units: fc.integer({ min: 1, max: 9 }),
      }),
      { minLength: 20, maxLength: 80 },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 9, max: 60 }),
        fc.integer({ min: 1, max: 4 }),
        fc.oneof(fc.constantFrom(25, 1_000), fc.integer({ min: 7, max: 2_000 })),
        fc.integer({ min: 0, max: 3_600_000 }),
        steps,
        (limit, instances, windowMs, startMs, taken) => {
          const { hand, consume } = limits([{ name: 'window', limit, window: `${windowMs}ms` }], { instances });
          const share = Math.floor(limit / instances);
          const log: { readonly atMs: number; readonly units: number }[] = [];
          hand.nowMs = startMs;
          for (const { wait, units } of taken) {
            hand.nowMs += wait;
            const own = Math.min(units, share);
            const { admitted, states } = consume(units);
            if (admitted) {
              log.push({ atMs: hand.nowMs, units: own });
              const inWindow = log.filter(({ atMs }) => atMs > hand.nowMs - windowMs);
              expect(inWindow.reduce((sum, each) => sum + each.units, 0)).toBeLessThanOrEqual(share);
            } else {
              // Strict, and not stricter than by a 25th of the window.
              const slackMs = windowMs / 25;
              const counting = log.filter(({ atMs }) => atMs > hand.nowMs - windowMs - slackMs);
              expect(counting.reduce((sum, each) => sum + each.units, 0) + own).toBeGreaterThan(share);
              const { retryMs = 0 } = states[0] ?? {};
              expect(retryMs).toBeGreaterThan(0);
              hand.nowMs += retryMs - 1;
              expect(consume(units).admitted).toBe(false);
              hand.nowMs += 1;
              expect(consume(units).admitted).toBe(true);
              log.push({ atMs: hand.nowMs, units: own });
            }
          }
        },
      ),
    );
  });

  it('say when the whole share is there again, also to the request that was admitted just now', () => {
    const gaps = fc.array(fc.nat(400), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 7, max: 2_000 }), (waits, windowMs) => {
        const { hand, consume } = limits([{ ...window, window: `${windowMs}ms` as const }]);
        let resetMs = 0;
        for (const wait of waits) {
          hand.nowMs += wait;
          resetMs = consume().states[0]?.resetMs ?? 0;
          expect(resetMs).toBeGreaterThanOrEqual(windowMs);
        }
        hand.nowMs += resetMs - 1;
        expect(consume(10)).toMatchObject({ admitted: false, states: [{ resetMs: 1 }] });
        hand.nowMs += 1;
        expect(consume(10).admitted).toBe(true);
      }),
    );
  });

  it('have nothing to come back where nothing was taken', () => {
    const { consume } = limits([window, { name: 'closed', limit: 10, window: '1s', whenRedisIsDown: 'deny' }]);
    expect(consume().states[0]).toEqual({ remaining: 10, resetMs: 0, retryMs: 0 });
  });

  it('count down what remains, and stay there when they refuse', () => {
    const { consume } = limits([window]);
    expect(consume(4).states[0]?.remaining).toBe(6);
    expect(consume(5).states[0]?.remaining).toBe(1);
    expect(consume(2)).toMatchObject({ admitted: false, states: [{ remaining: 1 }] });
    expect(consume(1).states[0]?.remaining).toBe(0);
  });

  it.each<readonly [string, RateLimitPolicy, number]>([
    ['a rate: in the time in which its burst comes back', { name: 'p', rate: '10/s', burst: 20 }, 2_000],
    ['a bucket: in the time in which it is full again', { name: 'p', capacity: 20, refill: '7/1s' }, 3_000],
    ['a log: in its window', { name: 'p', limit: 20, window: '2s', algorithm: 'sliding-log' }, 2_000],
    ['a fixed window: in any such window', { name: 'p', limit: 20, window: '2s', algorithm: 'fixed-window' }, 2_000],
  ])('take %s', (_, policy, windowMs) => {
    const { hand, consume } = limits([policy], { instances: 2 });
    expect(admissions(30, () => consume())).toBe(10);
    hand.nowMs += windowMs - 1;
    expect(consume().admitted).toBe(false);
    hand.nowMs += 1 + windowMs / 25;
    expect(admissions(30, () => consume())).toBe(10);
  });

  it('charge all policies or none', () => {
    const { consume } = limits([window, { name: 'small', limit: 2, window: '1s' }]);
    expect(admissions(5, () => consume())).toBe(2);
    expect(consume(1, 'alice', ['window']).states[0]?.remaining).toBe(7);
  });

  it('keep callers apart', () => {
    const { consume } = limits([window]);
    expect(admissions(20, () => consume(1, 'alice'))).toBe(10);
    expect(admissions(20, () => consume(1, 'bob'))).toBe(10);
  });

  it('leave at least one request to each process', () => {
    const { consume } = limits([window], { instances: 100 });
    expect(admissions(5, () => consume())).toBe(1);
  });

  it('take the whole share for a request that costs more than it', () => {
    const { hand, consume } = limits([window], { instances: 2 });
    expect(consume(8)).toMatchObject({ admitted: true, states: [{ remaining: 0 }] });
    expect(consume(1).admitted).toBe(false);
    hand.nowMs += 1_040;
    expect(consume(8).admitted).toBe(true);
  });

  it('admit everybody by a policy that is to allow, and nobody by one that is to deny', () => {
    const open = limits([{ ...window, whenRedisIsDown: 'allow' }]);
    expect(admissions(50, () => open.consume())).toBe(50);
    const closed = limits([{ ...window, whenRedisIsDown: 'deny' }]);
    expect(closed.consume()).toMatchObject({ admitted: false, states: [{ remaining: 0, retryMs: 1_000 }] });
  });

  it('charge nothing beside a policy that denies', () => {
    const { consume } = limits([window, { name: 'closed', limit: 10, window: '1s', whenRedisIsDown: 'deny' }]);
    expect(admissions(5, () => consume())).toBe(0);
    expect(consume(1, 'alice', ['window']).states[0]?.remaining).toBe(9);
  });

  it('count slots by those that this process holds', () => {
    let slots = 0;
    const { consume } = limits([{ name: 'slots', concurrent: 6 }], { instances: 2, held: () => slots });
    expect(consume()).toMatchObject({ admitted: true, states: [{ remaining: 2, retryMs: 0 }] });
    slots = 2;
    expect(consume()).toMatchObject({ admitted: true, states: [{ remaining: 0 }] });
    slots = 3;
    expect(consume()).toMatchObject({ admitted: false, states: [{ remaining: 0, retryMs: 1_000 }] });
  });

  it.each<readonly [string, RateLimitPolicy]>([
    ['a window', { ...window, shadow: true }],
    ['slots', { name: 'slots', concurrent: 1, shadow: true }],
    ['a policy that is to deny', { ...window, whenRedisIsDown: 'deny', shadow: true }],
  ])('refuse nobody in shadow mode, and say when they would: %s', (_, policy) => {
    const { consume } = limits([policy], { held: () => 1 });
    const verdicts = Array.from({ length: 20 }, () => consume());
    expect(verdicts.every(({ admitted }) => admitted)).toBe(true);
    expect(verdicts.at(-1)?.states[0]).toMatchObject({ remaining: 0 });
    expect(verdicts.at(-1)?.states[0]?.retryMs).toBeGreaterThan(0);
  });

  it('count in shadow mode what there is room for, and take nothing for the rest', () => {
    const { consume } = limits([{ ...window, shadow: true }]);
    expect(consume(8).states[0]).toMatchObject({ remaining: 2, retryMs: 0 });
    expect(consume(5).states[0]?.remaining).toBe(2);
    expect(consume(2).states[0]).toMatchObject({ remaining: 0, retryMs: 0 });
  });

  it('keep the counts of so many callers, those who came last', () => {
    const { consume } = limits([{ ...window, limit: 1 }], { maxCallers: 3 });
    for (const caller of ['a', 'b', 'c', 'd']) consume(1, caller);
    expect(['b', 'c', 'd'].map((caller) => consume(1, caller).admitted)).toEqual([false, false, false]);
    expect(consume(1, 'a').admitted).toBe(true);
  });
});

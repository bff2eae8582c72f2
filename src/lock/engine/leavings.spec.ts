import { describe, expect, it } from '@jest/globals';
import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import { FakeClock } from '../../testing/index.js';
import { Leavings } from './leavings.js';
import { LockKeys } from './lock-keys.js';

const KEYS = [new LockKeys('app:lock:{a}'), new LockKeys('app:lock:{b}')];
const AWAY = new RedisUnavailableError('not-connected', { connection: 'default', mayHaveRun: false });

/** Servers that answer each time as told, and after that always that all is well. */
function world(...answers: readonly ('away' | 'refused' | 'hangs' | 'left')[]) {
  const clock = new FakeClock();
  const left = [...answers];
  const asked: number[] = [];
  const told: unknown[] = [];
  let answer: () => void = () => undefined;
  const leave = async (...args: readonly unknown[]): Promise<boolean> => {
    asked.push(clock.monotonicMs());
    told.push(args);
    const what = left.shift();
    if (what === 'away') throw AWAY;
    if (what === 'refused') throw new Error('NOPERM');
    if (what === 'hangs') await new Promise<void>((resolve) => (answer = resolve));
    return true;
  };
  return { clock, leavings: new Leavings({ leave }, clock), asked, told, answer: () => answer() };
}

const away = (much: number) => Array.from({ length: much }, () => 'away' as const);

describe('what is left behind', () => {
  it('is given back at once, once', async () => {
    const { clock, leavings, asked, told } = world();
    leavings.leave(KEYS, 'claim', 30_000);
    expect(asked).toEqual([0]);
    await clock.advance('1m');
    expect([asked, told, clock.pendingTimers]).toEqual([[0], [[KEYS, 'claim', 30_000]], 0]);
  });

  it('is tried again while Redis is away, less and less often, but every second', async () => {
    const { clock, leavings, asked } = world(...away(7));
    leavings.leave(KEYS, 'claim', 60_000);
    await clock.advance('1m');
    expect(asked).toEqual([0, 250, 750, 1_750, 2_750, 3_750, 4_750, 5_750]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is tried no more when all of it has ended by itself', async () => {
    const { clock, leavings, asked } = world(...away(1_000));
    leavings.leave(KEYS, 'claim', 3_000);
    await clock.advance('1m');
    expect(asked).toEqual([0, 250, 750, 1_750, 2_750]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is tried again at once when Redis is back, or somebody is in need of it', async () => {
    const { clock, leavings, asked } = world(...away(4));
    leavings.leave(KEYS, 'one', 60_000);
    leavings.leave(KEYS, 'other', 60_000);
    await clock.advance('2ms');
    leavings.retry();
    await clock.advance('100ms');
    expect(asked).toEqual([0, 0, 2, 2]);
    leavings.retry();
    await clock.advance('1m');
    expect(asked).toEqual([0, 0, 2, 2, 102, 102]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not tried again when Redis refuses it, which is nobody’s concern any more', async () => {
    const { clock, leavings, asked } = world('refused');
    leavings.leave(KEYS, 'claim', 60_000);
    await clock.advance('1m');
    expect([asked, clock.pendingTimers]).toEqual([[0], 0]);
  });

  it('is remembered up to a thousand of them', async () => {
    const { clock, leavings, asked } = world(...away(1_500));
    for (let i = 0; i < 1_500; i++) leavings.leave(KEYS, `claim ${i}`, 60_000);
    await clock.advance('1ms');
    expect(clock.pendingTimers).toBe(1_000);
    await clock.advance('1m');
    expect(asked.length).toBe(2_500);
  });

  it('is waited for on closing, and tried no more', async () => {
    const { clock, leavings, asked, answer } = world('away', 'hangs', 'away');
    leavings.leave(KEYS, 'tried in vain', 60_000);
    await clock.advance('1ms');
    leavings.leave(KEYS, 'under way', 60_000);
    let isClosed = false;
    const closed = leavings.close().then(() => (isClosed = true));
    leavings.leave(KEYS, 'left by those whom closing has rejected', 60_000);
    await clock.advance('1m');
    expect([isClosed, asked, clock.pendingTimers]).toEqual([false, [0, 1, 1], 0]);
    answer();
    await closed;
    expect(asked.length).toBe(3);
  });
});

import { describe, expect, it } from '@jest/globals';
import { FakeClock } from './fake-clock.js';

describe('FakeClock', () => {
  it('stands still by itself', async () => {
    const clock = new FakeClock();
    const [now, monotonicMs] = [clock.now(), clock.monotonicMs()];
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([clock.now(), clock.monotonicMs()]).toEqual([now, monotonicMs]);
  });

  it('moves both times on by what it was told', async () => {
    const clock = new FakeClock(1_000);
    await clock.advance('1.5s');
    expect(clock.now()).toBe(2_500);
    expect(clock.monotonicMs()).toBe(1_500);
  });

  it('runs timers in the order in which they are due, each at its own time', async () => {
    const clock = new FakeClock(0);
    const ran: [string, number][] = [];
    const note = (name: string) => () => ran.push([name, clock.now()]);
    clock.setTimeout(note('second'), 20);
    clock.setTimeout(note('first'), 10);
    clock.setTimeout(note('also second'), 20);
    clock.setTimeout(note('too late'), 31);
    await clock.advance('30ms');
    expect(ran).toEqual([
      ['first', 10],
      ['second', 20],
      ['also second', 20],
    ]);
    expect(clock.pendingTimers).toBe(1);
  });

  it('runs a timer that falls due exactly at the end, and one of no or negative length at once', async () => {
    const clock = new FakeClock();
    const ran: number[] = [];
    for (const ms of [10, 0, -5]) clock.setTimeout(() => ran.push(ms), ms);
    await clock.advance('0ms');
    expect(ran).toEqual([0, -5]);
    await clock.advance('10ms');
    expect(ran).toEqual([0, -5, 10]);
  });

  it('runs timers that are set on the way', async () => {
    const clock = new FakeClock(0);
    const ticks: number[] = [];
    const tick = (): void => {
      ticks.push(clock.now());
      clock.setTimeout(tick, 10);
    };
    clock.setTimeout(tick, 10);
    await clock.advance('35ms');
    expect(ticks).toEqual([10, 20, 30]);
  });

  it('lets asynchronous code go on between timers', async () => {
    const clock = new FakeClock(0);
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.setTimeout(resolve, ms));
    const woken: number[] = [];
    const loop = (async () => {
      await Promise.resolve();
      for (let turn = 0; turn < 3; turn++) {
        await sleep(10);
        await Promise.resolve();
        woken.push(clock.now());
      }
    })();
    await clock.advance('30ms');
    expect(woken).toEqual([10, 20, 30]);
    await loop;
  });

  it('does not run a cancelled timer', async () => {
    const clock = new FakeClock();
    let ran = false;
    const cancel = clock.setTimeout(() => (ran = true), 10);
    cancel();
    cancel();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance('1h');
    expect(ran).toBe(false);
  });

  it('sets the wall clock back without touching measured time or timers', async () => {
    const clock = new FakeClock(1_000_000);
    let ranAt = 0;
    clock.setTimeout(() => (ranAt = clock.monotonicMs()), 100);
    await clock.advance('50ms');
    clock.setWallTime(0);
    expect(clock.now()).toBe(0);
    expect(clock.monotonicMs()).toBe(50);
    await clock.advance('50ms');
    expect(clock.now()).toBe(50);
    expect(ranAt).toBe(100);
  });

  it('stands at a timer that throws, and goes on from there', async () => {
    const clock = new FakeClock(0);
    let later = false;
    clock.setTimeout(() => {
      throw new Error('broken timer');
    }, 10);
    clock.setTimeout(() => (later = true), 20);
    await expect(clock.advance('1s')).rejects.toThrow('broken timer');
    expect(clock.now()).toBe(10);
    await clock.advance('10ms');
    expect(later).toBe(true);
  });
});

import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { systemClock } from './clock.js';

const DAY_MS = 86_400_000;

afterEach(() => {
  jest.useRealTimers();
});

describe('systemClock', () => {
  it('tells the wall time in milliseconds', () => {
    const before = Date.now();
    const now = systemClock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('never measures time backwards, even when the wall clock is set back', () => {
    const before = systemClock.monotonicMs();
    jest.useFakeTimers({ now: 0, doNotFake: ['performance'] });
    expect(systemClock.now()).toBe(0);
    expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before);
  });

  it('runs a timer once, and not before its time', () => {
    jest.useFakeTimers();
    const run = jest.fn();
    systemClock.setTimeout(run, 100);
    jest.advanceTimersByTime(99);
    expect(run).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1_000);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('does not run a cancelled timer, and cancels twice without harm', () => {
    jest.useFakeTimers();
    const run = jest.fn();
    const cancel = systemClock.setTimeout(run, 100);
    cancel();
    cancel();
    jest.advanceTimersByTime(1_000);
    expect(run).not.toHaveBeenCalled();
  });

  it('keeps a delay that is longer than a Node timer can hold', () => {
    jest.useFakeTimers();
    const started = systemClock.monotonicMs();
    const run = jest.fn();
    systemClock.setTimeout(run, 60 * DAY_MS);
    for (let leg = 1; leg <= 2; leg++) {
      jest.advanceTimersToNextTimer();
      expect(run).not.toHaveBeenCalled();
    }
    jest.advanceTimersToNextTimer();
    expect(run).toHaveBeenCalledTimes(1);
    expect(systemClock.monotonicMs() - started).toBeGreaterThanOrEqual(60 * DAY_MS);
  });

  it('cancels a long delay after its first leg', () => {
    jest.useFakeTimers();
    const run = jest.fn();
    const cancel = systemClock.setTimeout(run, 60 * DAY_MS);
    jest.advanceTimersToNextTimer();
    cancel();
    expect(jest.getTimerCount()).toBe(0);
    expect(run).not.toHaveBeenCalled();
  });

  it('does not keep the process alive', () => {
    const holdingTheProcess = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = holdingTheProcess();
    const cancel = systemClock.setTimeout(() => undefined, DAY_MS);
    expect(holdingTheProcess()).toBe(before);
    cancel();
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { within } from './time-limits.js';

const never = new Promise<never>(() => undefined);

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** What the wait came to when that much time has passed; null while it goes on. */
async function after<T>(waiting: Promise<T>, ms: number): Promise<T | null> {
  let outcome: T | null = null;
  waiting.then(
    (value) => (outcome = value),
    () => undefined,
  );
  await jest.advanceTimersByTimeAsync(ms);
  return outcome;
}

describe('within', () => {
  it("gives the work's result, and leaves no timer behind", async () => {
    expect(await within(Promise.resolve('value'), performance.now(), 10, 20)).toEqual({ result: 'value' });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('waits for ever without a limit', async () => {
    expect(await after(within(never, performance.now(), null, null), 1_000_000)).toBeNull();
    expect(await within(Promise.resolve(1), performance.now(), null, null)).toEqual({ result: 1 });
  });

  it.each<[string, number | null, number | null, number]>([
    ['soft', 10, 20, 10],
    ['hard', 30, 20, 20],
    ['soft', 10, null, 10],
    ['hard', null, 20, 20],
    ['soft', 20, 20, 20],
  ])('names the %s limit for a soft one of %p and a hard one of %p', async (limit, softMs, hardMs, ms) => {
    const waiting = within(never, performance.now(), softMs, hardMs);
    expect(await after(waiting, ms - 1)).toBeNull();
    expect(await after(waiting, 1)).toBe(limit);
  });

  it('counts from when the caller began, not from when it asked', async () => {
    const sinceMs = performance.now();
    await jest.advanceTimersByTimeAsync(15);
    const waiting = within(never, sinceMs, null, 20);
    expect(await after(waiting, 4)).toBeNull();
    expect(await after(waiting, 1)).toBe('hard');
    expect(await after(within(never, sinceMs, null, 20), 0)).toBe('hard');
  });

  it('fails as the work does, within the limit', async () => {
    await expect(within(Promise.reject(new RangeError()), performance.now(), 10, 20)).rejects.toThrow(RangeError);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves a later failure of the work unheard, rather than end the process by it', async () => {
    const unhandled = jest.fn();
    process.once('unhandledRejection', unhandled);
    const work = new Promise((_resolve, reject) => setTimeout(reject, 50, new RangeError()));
    expect(await after(within(work, performance.now(), 10, null), 10)).toBe('soft');
    await jest.advanceTimersByTimeAsync(100);
    jest.useRealTimers();
    await new Promise((resolve) => setImmediate(resolve));
    process.removeListener('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StoredValue } from '../entry/entry-format.js';
import { Waiters, type Waiter } from './waiters.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Whether the waiter has been let go after that much time. */
async function isReleased(waiting: Promise<unknown>, ms = 0): Promise<boolean> {
  let released = false;
  void waiting.then(() => (released = true));
  await jest.advanceTimersByTimeAsync(ms);
  return released;
}

describe('Waiters', () => {
  let waiters: Waiters;
  beforeEach(() => {
    waiters = new Waiters();
  });

  const LONG_MS = 60_000;
  const forMs = (waiter: Waiter, ms = LONG_MS): Promise<StoredValue | null> => waiter.until(ms);

  it('wakes everybody who waits for the entry, and nobody else', async () => {
    const mine = [waiters.add('a'), waiters.add('a')].map((waiter) => forMs(waiter));
    const other = forMs(waiters.add('b'));
    waiters.wake('a', null);
    expect(await Promise.all(mine.map((waiting) => isReleased(waiting)))).toEqual([true, true]);
    expect(await isReleased(other)).toBe(false);
  });

  it('wakes everybody when a wake may have been missed', async () => {
    const all = ['a', 'b', 'c'].map((entry) => forMs(waiters.add(entry)));
    waiters.wake(null, null);
    expect(await Promise.all(all.map((waiting) => isReleased(waiting)))).toEqual([true, true, true]);
  });

  it('does not miss a wake that comes between beginning to listen and waiting', async () => {
    const waiter = waiters.add('a');
    waiters.wake('a', null);
    expect(await isReleased(forMs(waiter))).toBe(true);
  });

  it('tells what is to be found, when that is known, and nothing when the time is over', async () => {
    const stored = new StoredValue(Buffer.alloc(64));
    const [early, late, never] = [waiters.add('a'), waiters.add('a'), waiters.add('b')];
    const waiting = forMs(late);
    waiters.wake('a', stored);
    expect(await Promise.all([forMs(early), waiting])).toEqual([stored, stored]);
    const ended = forMs(never, 50);
    await jest.advanceTimersByTimeAsync(50);
    expect(await ended).toBeNull();
  });

  it('lets a waiter go when its time is over, and not before', async () => {
    const waiting = forMs(waiters.add('a'), 50);
    expect(await isReleased(waiting, 49)).toBe(false);
    expect(await isReleased(waiting, 1)).toBe(true);
  });

  it('leaves no timer behind, neither when it wakes nor when a waiter gives up', async () => {
    const woken = waiters.add('a');
    const impatient = waiters.add('b');
    void forMs(woken);
    const waiting = forMs(impatient);
    expect(jest.getTimerCount()).toBe(2);
    waiters.wake('a', null);
    impatient.cancel();
    expect(jest.getTimerCount()).toBe(0);
    expect(await isReleased(waiting)).toBe(true);
  });

  it('does not wake one who has given up, and still wakes the others', async () => {
    const gone = waiters.add('a');
    const stays = forMs(waiters.add('a'));
    gone.cancel();
    gone.cancel();
    waiters.wake('a', null);
    expect(await isReleased(stays)).toBe(true);
    expect(await isReleased(forMs(gone))).toBe(false);
  });

  it('wakes those who began to listen after all before them had given up', async () => {
    const first = waiters.add('a');
    first.cancel();
    const second = forMs(waiters.add('a'));
    first.cancel();
    waiters.wake('a', null);
    expect(await isReleased(second)).toBe(true);
  });

  it('takes a wake for an entry that nobody waits for', () => {
    expect(() => waiters.wake('unknown', null)).not.toThrow();
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { systemClock } from '../../core/time/clock.js';
import { EntryIds } from '../entry/entry-id.js';
import { MemoryStore } from '../store/memory-store.js';
import { Lease, LeaseKeeper, longestLoadMs } from './lease.js';

const LEASE_MS = 3_000;
const ids = new EntryIds();

describe('LeaseKeeper', () => {
  let store: MemoryStore;
  let keeper: LeaseKeeper;
  let givenUp: string[];

  beforeEach(() => {
    jest.useFakeTimers();
    store = new MemoryStore(systemClock);
    givenUp = [];
    keeper = new LeaseKeeper(store, LEASE_MS, ({ entry }) => givenUp.push(entry));
  });
  afterEach(() => void jest.useRealTimers());

  async function leased(entry: string): Promise<Lease> {
    const id = ids.next();
    const lease = new Lease(entry, id, null);
    expect(await store.claim(entry, lease.marker, LEASE_MS)).toBeNull();
    return lease;
  }

  const pass = (leases: number): Promise<void> => jest.advanceTimersByTimeAsync(leases * LEASE_MS);
  const isHeld = async (entry: string): Promise<boolean> => (await store.read(entry)) !== null;

  it('keeps the lease of a load that takes longer, and lets it end when the load has', async () => {
    const [kept, ended] = [await leased('kept'), await leased('ended')];
    keeper.keep(kept);
    keeper.keep(ended);
    await pass(2);
    expect([await isHeld('kept'), await isHeld('ended')]).toEqual([true, true]);
    keeper.release(ended);
    await pass(2);
    expect([await isHeld('kept'), await isHeld('ended')]).toEqual([true, false]);
    keeper.release(kept);
    await pass(2);
    expect(await isHeld('kept')).toBe(false);
  });

  it('gives up a load that never ends after about ten leases, sooner than tokens of tags are given up', async () => {
    keeper.keep(await leased('hung'));
    await pass(9.5);
    expect(await isHeld('hung')).toBe(true);
    expect(givenUp).toEqual([]);
    await pass(2.5);
    expect(await isHeld('hung')).toBe(false);
    expect(givenUp).toEqual(['hung']);
    expect(jest.getTimerCount()).toBe(0);
    expect(longestLoadMs(LEASE_MS)).toBeGreaterThan(12 * LEASE_MS);
  });

  it('leaves no timer behind', async () => {
    const lease = await leased('a');
    keeper.keep(lease);
    keeper.release(lease);
    await pass(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('keeps leases again after a time without any', async () => {
    const first = await leased('first');
    keeper.keep(first);
    keeper.release(first);
    await pass(2);
    keeper.keep(await leased('second'));
    await pass(2);
    expect(await isHeld('second')).toBe(true);
  });
});

import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../core/time/clock.js';
import { eventually } from '../../testing/index.js';
import { EntryIds } from '../entry/entry-id.js';
import { writeLease } from '../entry/entry-format.js';
import { MemoryStore } from '../store/memory-store.js';
import { LeaseKeeper, type Lease } from './lease.js';

const LEASE_MS = 40;
const ids = new EntryIds();

async function leased(store: MemoryStore, entry: string): Promise<Lease> {
  const id = ids.next();
  const lease = { entry, id, marker: writeLease(id), head: null };
  expect(await store.claim(entry, lease.marker, LEASE_MS)).toBeNull();
  return lease;
}

describe('LeaseKeeper', () => {
  it('keeps the lease of a load that takes longer, and lets it end when the load has', async () => {
    const store = new MemoryStore(systemClock);
    const keeper = new LeaseKeeper(store, LEASE_MS);
    const [kept, ended] = [await leased(store, 'kept'), await leased(store, 'ended')];
    keeper.keep(kept);
    keeper.keep(ended);
    keeper.release(ended);
    await eventually(async () => expect(await store.read('ended')).toBeNull());
    expect(await store.read('kept')).toEqual(Buffer.from(kept.marker));
    keeper.release(kept);
    await eventually(async () => expect(await store.read('kept')).toBeNull());
  });

  it('gives up a load that never ends after about ten leases', async () => {
    const store = new MemoryStore(systemClock);
    const keeper = new LeaseKeeper(store, LEASE_MS);
    const lease = await leased(store, 'hung');
    const started = performance.now();
    keeper.keep(lease);
    await eventually(async () => expect(await store.read('hung')).toBeNull());
    expect(performance.now() - started).toBeGreaterThan(9 * LEASE_MS);
    keeper.release(lease);
  });
});

import { describe, expect, it } from '@jest/globals';
import { jsonCodec } from '../../core/codec/json.codec.js';
import type { Contended, EntryStore } from '../store/entry-store.js';
import { Contention } from './contention.js';

/** Longer than the test: whoever waits for so long has to be woken. */
const LEASE_MS = 600_000;
const THEIRS: Contended = { waitMs: LEASE_MS, held: null };

function contend(): { contention: Contention; subscribed: () => void } {
  let subscribed = (): void => undefined;
  const listen: EntryStore['listen'] = () => new Promise((resolve) => (subscribed = resolve));
  return { contention: new Contention({ listen } as EntryStore, jsonCodec), subscribed: () => subscribed() };
}

describe('while ends of loads are not heard of', () => {
  it('a waiter looks again soon, whatever is left of the lease', async () => {
    const { contention, subscribed } = contend();
    await contention.listen();
    expect([contention.waitMs(LEASE_MS), contention.waitMs(1)]).toEqual([50, 1]);
    subscribed();
    await contention.listen();
    await Promise.resolve();
    expect(contention.waitMs(LEASE_MS)).toBe(LEASE_MS);
  });

  it('nobody misses an end: who asked before is woken when they are heard of, and his asking serves nobody after', async () => {
    const { contention, subscribed } = contend();
    await contention.listen();
    const waiter = contention.add('entry');
    contention.note('entry', 'holder', Promise.resolve(THEIRS));
    expect(await contention.leftOf('entry', 'holder')).toBeGreaterThan(0);
    subscribed();
    // The answer comes when ends are heard of already, and says how long the lease lasts.
    await Promise.resolve();
    expect(await waiter.until(contention.waitMs(LEASE_MS))).toBeNull();
    expect(contention.leftOf('entry', 'holder')).toBeUndefined();
    waiter.cancel();
  });
});

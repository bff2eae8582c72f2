import { describe, expect, it } from '@jest/globals';
import { PendingReads, type PendingRead } from './pending-reads.js';

/** Ends the read, as whoever sent it does; whether what it brought must not be kept. */
function ended(reads: PendingReads, read: PendingRead): boolean {
  reads.end(read);
  return read.isStale;
}

describe('PendingReads', () => {
  it('finds a read good that no change overtook', () => {
    const reads = new PendingReads();
    const read = reads.begin('a');
    reads.changed('b');
    expect(ended(reads, read)).toBe(false);
  });

  it('finds every read stale that a change of its key overtook', () => {
    const reads = new PendingReads();
    const [first, second] = [reads.begin('a'), reads.begin('a')];
    reads.changed('a');
    expect([ended(reads, first), ended(reads, second)]).toEqual([true, true]);
  });

  it('trusts reads that began after the change, whenever those before it end', () => {
    const reads = new PendingReads();
    const before = reads.begin('a');
    reads.changed('a');
    const after = reads.begin('a');
    expect(ended(reads, before)).toBe(true);
    expect(ended(reads, after)).toBe(false);
  });

  it('hears a change for the read that goes on after another of the same key has ended', () => {
    const reads = new PendingReads();
    const [first, second] = [reads.begin('a'), reads.begin('a')];
    expect(ended(reads, first)).toBe(false);
    reads.changed('a');
    expect(ended(reads, second)).toBe(true);
  });

  it('hears a change for a later read although one that was stale has ended since', () => {
    const reads = new PendingReads();
    const stale = reads.begin('a');
    reads.changed('a');
    const later = reads.begin('a');
    reads.end(stale);
    reads.changed('a');
    expect(ended(reads, later)).toBe(true);
  });

  it('finds all reads stale when every key may have changed, and trusts those that begin then', () => {
    const reads = new PendingReads();
    const before = [reads.begin('a'), reads.begin('b')];
    reads.changedAll();
    const after = reads.begin('a');
    expect(before.map((read) => ended(reads, read))).toEqual([true, true]);
    expect(ended(reads, after)).toBe(false);
  });
});

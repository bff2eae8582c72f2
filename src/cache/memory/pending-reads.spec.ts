import { describe, expect, it } from '@jest/globals';
import { PendingReads } from './pending-reads.js';

describe('PendingReads', () => {
  it('finds a read good that no change overtook', () => {
    const reads = new PendingReads();
    const read = reads.begin('a');
    reads.changed('b');
    expect(read.isStale).toBe(false);
    expect(reads.end(read)).toBe(true);
  });

  it('finds every read stale that a change of its key overtook', () => {
    const reads = new PendingReads();
    const [first, second] = [reads.begin('a'), reads.begin('a')];
    reads.changed('a');
    expect([reads.end(first), reads.end(second)]).toEqual([false, false]);
  });

  it('trusts reads that began after the change, whenever those before it end', () => {
    const reads = new PendingReads();
    const before = reads.begin('a');
    reads.changed('a');
    const after = reads.begin('a');
    expect(reads.end(before)).toBe(false);
    expect(reads.end(after)).toBe(true);
  });

  it('hears a change for the read that goes on after another of the same key has ended', () => {
    const reads = new PendingReads();
    const [first, second] = [reads.begin('a'), reads.begin('a')];
    expect(reads.end(first)).toBe(true);
    reads.changed('a');
    expect(reads.end(second)).toBe(false);
  });

  it('hears a change for a later read although one that was stale has ended since', () => {
    const reads = new PendingReads();
    const stale = reads.begin('a');
    reads.changed('a');
    const later = reads.begin('a');
    reads.end(stale);
    reads.changed('a');
    expect(reads.end(later)).toBe(false);
  });

  it('finds all reads stale when every key may have changed, and trusts those that begin then', () => {
    const reads = new PendingReads();
    const before = [reads.begin('a'), reads.begin('b')];
    reads.changedAll();
    const after = reads.begin('a');
    expect(before.map((read) => reads.end(read))).toEqual([false, false]);
    expect(reads.end(after)).toBe(true);
  });
});

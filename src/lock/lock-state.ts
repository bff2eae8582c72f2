/** What is to be seen of a lock. */
export interface LockState {
  readonly state: 'free' | 'held';
  /** Who has it. Nothing tells who they are: tokens are secrets. */
  readonly holders: readonly LockHolder[];
  /** How many wait for it. */
  readonly waiting: number;
  /** The last fencing token, or null when none is known any more. */
  readonly fence: number | null;
}

/** One who has a lock. */
export interface LockHolder {
  /** How many permits it has, 1 for a reader; `'all'` when it has the lock alone. */
  readonly permits: number | 'all';
  /** How long its lease lasts, in milliseconds. */
  readonly leaseMs: number;
}

/** The reply of `lua/lock/inspect.lua`. */
export function readState([fence = 0, wholeMs = 0, waiting = 0, ...shares]: readonly number[]): LockState {
  const holders: LockHolder[] = wholeMs > 0 ? [{ permits: 'all', leaseMs: wholeMs }] : [];
  for (let i = 0; i + 1 < shares.length; i += 2) {
    holders.push({ permits: shares[i] as number, leaseMs: shares[i + 1] as number });
  }
  return { state: holders.length > 0 ? 'held' : 'free', holders, waiting, fence: fence === 0 ? null : fence };
}

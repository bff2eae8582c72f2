import type { LockName } from '../lock-name.js';
import type { Lease } from './lease.js';
import type { LockKeys } from './lock-keys.js';

/** What somebody holds: one lock, or several. */
export class Hold {
  lease!: Lease;

  constructor(
    readonly name: LockName,
    readonly keys: readonly LockKeys[],
    readonly claim: string,
    public fence: number,
    /** On the monotonic clock. */
    readonly sinceMs: number,
    /** Until when nobody else shall have it, on the same clock. */
    readonly atLeastUntilMs: number,
  ) {}
}

import type { LockKeys } from './lock-keys.js';

/** It has the lock. */
export class Granted {
  constructor(
    readonly fence: number,
    /** When the command left that the lease began with, on the monotonic clock: the lease cannot have begun before. */
    readonly sentMs: number,
    /** For how long it was granted. */
    readonly leaseMs: number,
  ) {}
}

/** It has not. */
export class Refused {
  constructor(
    /** Milliseconds until a lease on it ends, unless it is prolonged. */
    readonly leaseMs: number,
    /** How many are in the queue before it. */
    readonly ahead: number,
    /** Its place in the queue; -1 when it has none. */
    readonly ticket: number,
    /** The time of the server, in microseconds. */
    readonly atUs = 0,
    /** It was granted, but told of it too late. */
    readonly isLate = false,
  ) {}

  /** The same, when some time has passed. */
  after(ms: number): Refused {
    const leaseMs = Math.max(1, Math.round(this.leaseMs - ms));
    return new Refused(leaseMs, this.ahead, this.ticket, this.atUs, this.isLate);
  }
}

/** The ticket of one who does not wait. */
export const NO_QUEUE = -1;

/** The ticket of one who has none yet. */
export const END_OF_QUEUE = 0;

/** Where locks live: one Redis, one with replicas, or several that know nothing of each other. */
export interface LockServers {
  /** Whether one who is woken has the lock with that, for a while. Else it has to ask again. */
  readonly grantsByWaking: boolean;
  /** Whether these locks can be taken in one step. */
  isOneStep(keys: readonly LockKeys[]): boolean;
  /** Asks for one lock. With a ticket, waits in the queue for it. Asking again with the same claim does no harm. */
  ask(keys: LockKeys, claim: string, ttlMs: number, ticket: number): Promise<Granted | Refused>;
  /** Asks for several locks that can be taken in one step. Null: one of them is not free. */
  askAll(keys: readonly LockKeys[], claim: string, ttlMs: number): Promise<Granted | null>;
  /** Prolongs the leases, and sees to it that later fences are greater than `fence`. False: one of them has ended. */
  extend(keys: readonly LockKeys[], claim: string, ttlMs: number, fence: number): Promise<boolean>;
  /** Gives back what the claim has or waits for. Resolves with whether it had all of them. By `untilMs`, on the monotonic clock, its leases have ended by themselves. */
  leave(keys: readonly LockKeys[], claim: string, untilMs: number): Promise<boolean>;
  /** Takes the lock away from all who have it. Resolves with how many had it. */
  clear(keys: LockKeys): Promise<number>;
  /** Ends what only this needs, once everything is given back. */
  close(): Promise<void>;
}

/** A fence as the scripts take it. */
export function fenceText(fence: number): string {
  return String(fence).padStart(16, '0');
}

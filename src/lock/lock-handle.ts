import type { Duration } from '../core/time/duration.js';
import type { Hold } from './engine/hold.js';
import { timeOf } from './engine/lock-request.js';
import type { Locker } from './engine/locker.js';
import { SHORTEST_TTL_MS } from './engine/safety.js';
import type { LockName } from './lock-name.js';

/**
 * A lock that is held.
 *
 * A lease is no proof: while the holder stands still, it can end and be another's. So writes that must not come late carry the {@link fence}, and work that takes
 * long listens to the {@link signal}.
 */
export class LockHandle implements AsyncDisposable {
  readonly acquired = true;
  readonly #hold: Hold;
  readonly #locker: Locker;

  constructor(hold: Hold, locker: Locker) {
    this.#hold = hold;
    this.#locker = locker;
  }

  get name(): LockName {
    return this.#hold.name;
  }

  /**
   * The fencing token: greater than that of every earlier grant of the lock, through expiry, FLUSHALL and failover, as long as no clock of a primary is behind the
   * last token. A safe integer: microseconds since the epoch, or the last token and one.
   */
  get fence(): number {
    return this.#hold.fence;
  }

  /** Aborts before the lease can have ended elsewhere, also while Redis does not answer; its reason is a `LockLostError`. Not when the lock is released. */
  get signal(): AbortSignal {
    return this.#hold.lease.signal;
  }

  /** Whether it can be relied on now. Costs no round trip. */
  get isHeld(): boolean {
    return this.#hold.lease.isHeld;
  }

  /** For how long it can be relied on if it is not prolonged, in milliseconds: after a wait perhaps less than a second at first, until Redis has confirmed the whole lease. Costs no round trip. */
  get validForMs(): number {
    return this.#hold.lease.leftMs;
  }

  /** @throws {LockLostError} when it was lost */
  throwIfLost(): void {
    const { lost } = this.#hold.lease;
    if (lost !== null) throw lost;
  }

  /**
   * Prolongs the lease now, to `ttl` from now on, and by that each time from now on. Resolves with false when the lock is not held any more. One round trip.
   *
   * Rejects with `RedisUnavailableError` when Redis does not answer in time; the lease then goes on as it was, or as asked for where that ends sooner. Rejects with
   * `LockUsageError` for a `ttl` that could never be right.
   */
  async extend(ttl?: Duration): Promise<boolean> {
    return this.#hold.lease.extend(ttl === undefined ? undefined : timeOf(ttl, 'ttl', SHORTEST_TTL_MS));
  }

  /**
   * Gives it back, and hands it over to who waits for it. Resolves with whether it was held until now; never rejects because Redis is away: the lease then ends
   * by itself. One round trip.
   */
  async release(): Promise<boolean> {
    return this.#locker.release(this.#hold);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

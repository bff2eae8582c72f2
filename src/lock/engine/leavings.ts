import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { Cancel, Clock } from '../../core/time/clock.js';
import type { LockKeys } from './lock-keys.js';
import type { LockServers } from './lock-servers.js';

const RETRY_MS = 250;

/**
 * Gives back what nobody is told of any more: grants whose reply was lost, places in the queue of those who went away. While Redis is away it tries again, for as
 * long as there can be something to give back.
 */
export class Leavings {
  readonly #timers = new Set<Cancel>();
  readonly #underWay = new Set<Promise<void>>();
  #isClosed = false;

  constructor(
    private readonly servers: LockServers,
    private readonly clock: Clock,
  ) {}

  /** Returns at once. @param untilMs when all leases of the claim have ended by themselves */
  leave(keys: readonly LockKeys[], claim: string, untilMs: number): void {
    const leaving = this.#leave(keys, claim, untilMs);
    this.#underWay.add(leaving);
    void leaving.finally(() => this.#underWay.delete(leaving));
  }

  /** Waits for what is under way, within a command's deadline, and tries no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #leave(keys: readonly LockKeys[], claim: string, untilMs: number): Promise<void> {
    try {
      await this.servers.leave(keys, claim);
    } catch (error) {
      if (this.#isClosed || !(error instanceof RedisUnavailableError) || this.clock.monotonicMs() > untilMs) return;
      const cancel = this.clock.setTimeout(() => {
        this.#timers.delete(cancel);
        this.leave(keys, claim, untilMs);
      }, RETRY_MS);
      this.#timers.add(cancel);
    }
  }
}

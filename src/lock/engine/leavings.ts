import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { Cancel, Clock } from '../../core/time/clock.js';
import type { LockKeys } from './lock-keys.js';
import type { LockServers } from './lock-servers.js';

const FIRST_RETRY_MS = 250;
/** One that is left in the queue and has its turn keeps others waiting for so long. */
const LAST_RETRY_MS = 1_000;

/** What is beyond that is left to the leases' own ends. */
const MOST_RETRIES = 1_000;

/**
 * Gives back what nobody is told of any more: grants whose reply was lost, places in the queue of those who went away. While Redis is away it tries again, for as
 * long as there can be something to give back.
 */
export class Leavings {
  readonly #retries = new Set<{ readonly cancel: Cancel; readonly run: (nextRetryMs: number) => void }>();
  readonly #underWay = new Set<Promise<void>>();
  #isClosed = false;

  constructor(
    private readonly servers: Pick<LockServers, 'leave'>,
    private readonly clock: Clock,
  ) {}

  /** Returns at once. @param untilMs when all leases of the claim have ended by themselves */
  leave(keys: readonly LockKeys[], claim: string, untilMs: number, retryMs = FIRST_RETRY_MS): void {
    const leaving = this.#leave(keys, claim, untilMs, retryMs);
    this.#underWay.add(leaving);
    void leaving.finally(() => this.#underWay.delete(leaving));
  }

  /** Tries again at once, since Redis is back, or somebody is held up by what is left here. */
  retry(): void {
    for (const { cancel, run } of [...this.#retries]) {
      cancel();
      run(FIRST_RETRY_MS);
    }
  }

  /** Waits for what is under way, within a command's deadline, and tries no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { cancel } of this.#retries) cancel();
    this.#retries.clear();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #leave(keys: readonly LockKeys[], claim: string, untilMs: number, retryMs: number): Promise<void> {
    try {
      await this.servers.leave(keys, claim, untilMs);
    } catch (error) {
      if (!(error instanceof RedisUnavailableError) || this.clock.monotonicMs() + retryMs > untilMs) return;
      if (this.#isClosed || this.#retries.size >= MOST_RETRIES) return;
      const run = (nextRetryMs: number): void => {
        this.#retries.delete(retry);
        this.leave(keys, claim, untilMs, nextRetryMs);
      };
      const again = (): void => run(Math.min(2 * retryMs, LAST_RETRY_MS));
      const retry = { cancel: this.clock.setTimeout(again, retryMs), run };
      this.#retries.add(retry);
    }
  }
}

import type { Cancel, Clock } from '../../../core/time/clock.js';
import type { Claim, Journal } from '../journal/journal.js';

/** Renewals a lease: two may fail before it runs out. */
const RENEWALS = 3;

/**
 * Holds a batch for as long as it is being flushed. Calls `onLost`, once, when the batch belongs to somebody else, or when Redis could not be asked
 * for so long that it may.
 */
export class Lease {
  #timer: Cancel | undefined;
  #renewedMs: number;
  #released = false;

  constructor(
    private readonly journal: Journal,
    private readonly claim: Claim,
    private readonly leaseMs: number,
    private readonly clock: Clock,
    private readonly onLost: () => void,
  ) {
    this.#renewedMs = clock.monotonicMs();
    this.#schedule();
  }

  release(): void {
    this.#released = true;
    this.#timer?.();
  }

  #schedule(): void {
    this.#timer = this.clock.setTimeout(() => void this.#renew(), this.leaseMs / RENEWALS);
  }

  async #renew(): Promise<void> {
    const askedMs = this.clock.monotonicMs();
    const renewed = await this.journal
      .renew(this.claim)
      .catch(() => askedMs - this.#renewedMs < this.leaseMs && 'unknown');
    if (this.#released) return;
    if (renewed === false) {
      this.release();
      this.onLost();
      return;
    }
    if (renewed === true) this.#renewedMs = askedMs;
    this.#schedule();
  }
}

import type { Cancel, Clock } from '../../../core/time/clock.js';
import type { Claim, Journal } from '../journal/journal.js';

/** Renewals a lease: two may fail before it runs out. */
const RENEWALS = 3;

/** How much of a lease its holder makes use of. The rest is for the flush to stop in, and for clocks that do not run alike. */
const USED = 9 / 10;

/** What a lease has to know. */
export interface LeaseTerms {
  readonly leaseMs: number;
  /** When the claim was sent, by the monotonic clock: the server cannot have begun to count earlier. */
  readonly claimedMs: number;
  readonly clock: Clock;
  /** Called once, when the batch belongs to somebody else, or soon may: before somebody else can claim it. */
  readonly onLost: () => void;
}

/** Holds a batch for as long as it is being flushed. */
export class Lease {
  #renewal: Cancel | undefined;
  #end: Cancel | undefined;
  #released = false;
  #renewing = true;

  constructor(
    private readonly journal: Pick<Journal, 'renew'>,
    private readonly claim: Claim,
    private readonly terms: LeaseTerms,
  ) {
    this.#holdFrom(terms.claimedMs);
    this.#schedule();
  }

  /** Lets the lease run out by itself: it can be lost still, but is renewed no more. */
  stopRenewing(): void {
    this.#renewing = false;
    this.#renewal?.();
  }

  release(): void {
    this.#released = true;
    this.stopRenewing();
    this.#end?.();
  }

  /** At once when it has run out already, so that nothing is begun. */
  #holdFrom(sentMs: number): void {
    const { leaseMs, clock } = this.terms;
    const leftMs = sentMs + leaseMs * USED - clock.monotonicMs();
    this.#end?.();
    if (leftMs > 0) this.#end = clock.setTimeout(() => this.#lose(), leftMs);
    else this.#lose();
  }

  #schedule(): void {
    const { leaseMs, clock } = this.terms;
    if (this.#renewing) this.#renewal = clock.setTimeout(() => void this.#renew(), leaseMs / RENEWALS);
  }

  async #renew(): Promise<void> {
    const sentMs = this.terms.clock.monotonicMs();
    const renewed = await this.journal.renew(this.claim).catch(() => 'unknown');
    if (this.#released) return;
    if (renewed === false) this.#lose();
    else if (renewed === true) this.#holdFrom(sentMs);
    this.#schedule();
  }

  #lose(): void {
    this.release();
    this.terms.onLost();
  }
}

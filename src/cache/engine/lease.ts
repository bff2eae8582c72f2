import { InFlight } from '../../core/collections/in-flight.js';
import { writeLease } from '../entry/entry-format.js';
import type { EntryStore } from '../store/entry-store.js';

/** The right to load one entry, which nobody else has while it lasts. */
export class Lease {
  /** As it lies in the store. */
  readonly marker: string;

  constructor(
    readonly entry: string,
    readonly id: string,
    /** The first bytes of the entry that is to be replaced; null where there was none. */
    readonly head: string | Buffer | null,
  ) {
    this.marker = writeLease(id);
  }
}

/** A load may keep its lease for this many times the lease's length; a loader that hangs must not hold everybody up for ever. */
const LONGEST_LEASES = 10;
const RENEWALS_PER_LEASE = 3;

/** A load that takes longer than this has lost its lease, also where renewals came late. */
export function longestLoadMs(leaseMs: number): number {
  return 2 * LONGEST_LEASES * leaseMs;
}

/** Renews the leases of loads under way, so that a lease can be short: it need not outlast a load, only a dead process. */
export class LeaseKeeper {
  readonly #renewals = new InFlight<Lease, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: EntryStore,
    private readonly leaseMs: number,
    /** The load has taken too long: its lease is given up. */
    private readonly onGivenUp: (lease: Lease) => void,
  ) {}

  keep(lease: Lease): void {
    this.#renewals.set(lease, 0);
    this.#timer ??= setInterval(() => this.#renewAll(), Math.max(1, this.leaseMs / RENEWALS_PER_LEASE)).unref();
  }

  release(lease: Lease): void {
    this.#renewals.delete(lease);
  }

  #renewAll(): void {
    for (const [lease, renewals] of this.#renewals.entries()) {
      this.#renewals.set(lease, renewals + 1);
      if (renewals < LONGEST_LEASES * RENEWALS_PER_LEASE) {
        this.#renew(lease);
      } else {
        this.#renewals.delete(lease);
        this.onGivenUp(lease);
      }
    }
    // Here and not as soon as the last lease is gone: most loads take less than a round, and a timer for each would cost more than they do.
    if (this.#renewals.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #renew({ entry, marker, head }: Lease): void {
    // A renewal that fails is followed by another, and a lease that is lost is found out when the load ends.
    this.store.renew(entry, head !== null, marker, this.leaseMs).catch(() => undefined);
  }
}

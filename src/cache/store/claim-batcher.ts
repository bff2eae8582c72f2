import type { Claimed } from './entry-store.js';

const MOST_KEYS = 64;

/** One read of this tick, and who waits for it. */
export interface Claim {
  readonly entry: string;
  readonly marker: string;
  readonly resolve: (claimed: Claimed) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  readonly group: number;
  readonly leaseMs: number;
  readonly claims: Claim[];
}

/**
 * Gathers the claims of one tick by slot, and sends each group at the end of the tick, with no added delay. The batches of a tick are made anew
 * each time: a Map that is emptied and filled again keeps what it held from the garbage collector.
 */
export class ClaimBatcher {
  #open: Batch[] | null = null;

  constructor(
    private readonly groupOf: (key: string) => number,
    private readonly send: (claims: readonly Claim[], leaseMs: number) => void,
  ) {}

  claim(entry: string, marker: string, leaseMs: number): Promise<Claimed> {
    return new Promise((resolve, reject) => {
      this.#batch(this.groupOf(entry), leaseMs).claims.push({ entry, marker, resolve, reject });
    });
  }

  #batch(group: number, leaseMs: number): Batch {
    if (this.#open === null) {
      this.#open = [];
      process.nextTick(this.#flush);
    }
    // From the end, where the batch of the same group stands when there is but one server.
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const batch = this.#open[i] as Batch;
      if (batch.group === group && batch.leaseMs === leaseMs && batch.claims.length < MOST_KEYS) return batch;
    }
    const batch: Batch = { group, leaseMs, claims: [] };
    this.#open.push(batch);
    return batch;
  }

  readonly #flush = (): void => {
    const open = this.#open ?? [];
    this.#open = null;
    for (const { claims, leaseMs } of open) this.send(claims, leaseMs);
  };
}

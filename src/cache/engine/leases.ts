import { InFlight } from '../../core/collections/in-flight.js';
import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import { EntryIds } from '../entry/entry-id.js';
import { Lease } from './lease.js';
import type { Loads } from './loads.js';

/** Makes leases to ask for, and sees to those of which nobody knows whether they were taken. */
export class Leases {
  readonly #ids = new EntryIds();
  /** Leases that have been asked for, and may be ours without our knowing yet. */
  readonly #asked = new InFlight<string, Lease>();

  constructor(private readonly loads: Loads) {}

  /** A lease on the entry, or for the replacement of the one that begins with `head`. */
  next(entry: string, head: Lease['head']): Lease {
    return new Lease(entry, this.#ids.next(), head);
  }

  /** It is being asked for. */
  asks(lease: Lease): void {
    this.#asked.set(lease.id, lease);
  }

  /** It is known whose it is. */
  knows({ id }: Lease): void {
    this.#asked.delete(id);
  }

  /** Resolves when it is known whether that lease is ours: the word that it is ours may be a moment behind the word that it is taken. */
  async untilKnown(id: string): Promise<void> {
    while (this.#asked.has(id)) await new Promise((resolve) => setImmediate(resolve));
  }

  /** The answer; without one, see {@link giveBackIfTaken}. */
  async orGiveBack<T>(lease: Lease, asking: Promise<T>): Promise<T> {
    try {
      return await asking;
    } catch (error) {
      this.giveBackIfTaken(lease, error);
      throw error;
    }
  }

  /** When the reply is lost the lease may be ours without our knowing, and would keep everybody waiting for nothing. */
  giveBackIfTaken(lease: Lease, error: unknown): void {
    if (error instanceof RedisUnavailableError && error.mayHaveRun) this.loads.giveBack(lease);
  }
}

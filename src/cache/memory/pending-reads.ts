import { InFlight } from '../../core/collections/in-flight.js';

/** A read on its way. What it brings may be kept only if its key did not change meanwhile. */
export class PendingRead {
  /** How many reads share this object. */
  readers = 1;
  isStale = false;

  constructor(readonly key: string) {}
}

/**
 * Notices changes that overtake a read: the word of a change can arrive before a reply that was sent before the change, and what that reply
 * brings must not be kept. (Redis's own pages describe the race and this remedy.)
 */
export class PendingReads {
  readonly #reads = new InFlight<string, PendingRead>();

  begin(key: string): PendingRead {
    const shared = this.#reads.get(key);
    if (shared !== undefined) {
      shared.readers += 1;
      return shared;
    }
    const read = new PendingRead(key);
    this.#reads.set(key, read);
    return read;
  }

  end(read: PendingRead): void {
    read.readers -= 1;
    if (read.readers === 0 && this.#reads.get(read.key) === read) this.#reads.delete(read.key);
  }

  /** The key has changed. Reads that begin from now on see the change. */
  changed(key: string): void {
    const read = this.#reads.get(key);
    if (read === undefined) return;
    read.isStale = true;
    this.#reads.delete(key);
  }

  /** Every key may have changed. */
  changedAll(): void {
    for (const [, read] of this.#reads.entries()) read.isStale = true;
    this.#reads.clear();
  }
}

/**
 * Invalidations that have been sent to the store, and that it has not confirmed yet.
 *
 * What is read meanwhile comes from before an invalidation that this process has already been promised, when the store answers out of turn: a server that
 * has lost its scripts is sent one again, behind the reads that followed it.
 */
export class Unconfirmed {
  /** The number of the latest invalidation of each key. */
  readonly #sent = new Map<string, number>();
  #latest = 0;

  /** The number of the latest invalidation of all. */
  get moment(): number {
    return this.#latest;
  }

  /** The number of the key's invalidation that is still to be confirmed. */
  of(key: string): number | undefined {
    return this.#sent.size === 0 ? undefined : this.#sent.get(key);
  }

  /** Calls `tell`, which invalidates the keys, and settles as it does. */
  async during<T>(keys: readonly string[], tell: () => Promise<T>): Promise<T> {
    this.#latest += 1;
    const number = this.#latest;
    for (const key of keys) this.#sent.set(key, number);
    try {
      return await tell();
    } finally {
      for (const key of keys) if (this.#sent.get(key) === number) this.#sent.delete(key);
    }
  }
}

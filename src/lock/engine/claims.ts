import { randomFillSync } from 'node:crypto';

const TOKEN_BYTES = 16;

/** Random bytes are cheaper by the thousand. */
const POOL_BYTES = 256 * TOKEN_BYTES;

/** How much of a lock is taken: all of it, or some of the permits. */
export type Extent = 'all' | { readonly permits: number; readonly limit: number };

/** Readers are so many at most. */
export const MOST_PERMITS = 999_999_999;

/**
 * Makes claims, as `lua/lock/turn.lua` reads them. Each begins with 128 random bits: nobody can release or prolong what he does not hold.
 *
 * Not even a claim that was asked for in vain is used again, so a late command cannot touch a later grant.
 */
export class Claims {
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;
  readonly #sign: string;
  readonly #channel: string;

  /**
   * @param channel where this process is woken
   * @param countsListeners whether the server's count of those who hear a message tells of all; not so on a cluster
   */
  constructor(channel: string, countsListeners: boolean) {
    this.#sign = countsListeners ? '@' : '~';
    this.#channel = `:${channel}`;
  }

  /** @param ttlMs for how long it has the lock, when it is handed over to it */
  next(extent: Extent, ttlMs: number): string {
    const where = `${this.#sign}${ttlMs}${this.#channel}`;
    return this.#token() + (extent === 'all' ? where : `${extent.permits}/${extent.limit}${where}`);
  }

  #token(): string {
    if (this.#used === POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const token = this.#pool.toString('base64url', this.#used, this.#used + TOKEN_BYTES);
    this.#used += TOKEN_BYTES;
    return token;
  }
}

/** What a wake-up names a claim by. */
export function tokenOf(claim: string): string {
  return claim.slice(0, 22);
}

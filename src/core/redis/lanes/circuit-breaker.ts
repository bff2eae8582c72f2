/** What a missed deadline says about the server. */
export type Missed = 'silent' | 'slow';

/**
 * Decides when a server is not worth asking. Pure state: it owns no timer and no connection.
 *
 * - A deadline that passed while the connection brought **not one byte** means a hung server: the circuit opens at once.
 * - A deadline that passed while other replies still arrived means a slow one: the circuit opens after `slowLimit` of them
 *   with no reply in time between.
 * - It closes when a probe is answered in time, or when a new connection is made.
 *
 * An open circuit refuses the commands whose deadline is no longer than the one that was missed. Those with more patience are
 * still let through, so that the feature with the shortest deadline does not decide for all: where a round trip takes 80 ms, a
 * cache that waits for 50 does without, and a lock that waits for a second works.
 *
 * Opening at the first silence is safe because closing is just as quick: the probe is sent at once, and its reply closes the
 * circuit within one round trip of the server's return.
 */
export class CircuitBreaker {
  #slowInARow = 0;
  #missedMs = 0;

  constructor(private readonly slowLimit: number) {}

  /** The longest deadline that the server missed, in milliseconds; 0 while the circuit is closed. */
  get missedMs(): number {
    return this.#missedMs;
  }

  refuses(deadlineMs: number): boolean {
    return deadlineMs <= this.#missedMs;
  }

  /** A reply came in time. */
  succeeded(): void {
    this.#slowInARow = 0;
  }

  /** A deadline passed. Returns true when the circuit refuses more from now on than it did before. */
  missed(how: Missed, deadlineMs: number): boolean {
    this.#slowInARow += 1;
    if (this.refuses(deadlineMs) || (how === 'slow' && this.#slowInARow < this.slowLimit)) return false;
    this.#missedMs = deadlineMs;
    return true;
  }

  close(): void {
    this.#missedMs = 0;
    this.#slowInARow = 0;
  }
}

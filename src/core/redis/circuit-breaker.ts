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
 * Opening at the first silence is safe because closing is just as quick: the probe is the only thing sent meanwhile, and its
 * reply closes the circuit within one round trip of the server's return.
 */
export class CircuitBreaker {
  #slowInARow = 0;
  #open = false;

  constructor(private readonly slowLimit: number) {}

  get isOpen(): boolean {
    return this.#open;
  }

  /** A reply came in time. */
  succeeded(): void {
    this.#slowInARow = 0;
  }

  /** A deadline passed. Returns true when this opened the circuit. */
  missed(how: Missed): boolean {
    this.#slowInARow += 1;
    if (this.#open || (how === 'slow' && this.#slowInARow < this.slowLimit)) return false;
    this.#open = true;
    return true;
  }

  close(): void {
    this.#open = false;
    this.#slowInARow = 0;
  }
}

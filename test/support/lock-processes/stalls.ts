import { nowUs } from '../job-process.js';

const STEP_MS = 100;
const LONG_US = 300_000;

/** Knows when this process stood still for long. */
export class Stalls {
  #seenUs = nowUs();
  #lastUs = 0;
  readonly #timer = setInterval(() => this.#see(), STEP_MS);

  /** Whether it did since that time. */
  since(us: number): boolean {
    this.#see();
    return this.#lastUs > us;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #see(): void {
    const us = nowUs();
    if (us - this.#seenUs > LONG_US) this.#lastUs = us;
    this.#seenUs = us;
  }
}

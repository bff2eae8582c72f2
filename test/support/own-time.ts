const STEP_MS = 5;

/**
 * A clock that stands still while this process is kept from running: a busy machine holds up what is under test, and this clock with it. Upper bounds
 * are judged by it, so that they need no slack for the machine; lower ones by the time on the wall.
 */
export class OwnTime implements Disposable {
  #ms = 0;
  #seenMs = performance.now();
  #cpu = process.cpuUsage();
  readonly #timer = setInterval(() => this.#see(), STEP_MS);

  /** Since it was made. */
  get ms(): number {
    this.#see();
    return this.#ms;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #see(): void {
    const nowMs = performance.now();
    const { user, system } = process.cpuUsage(this.#cpu);
    // Without a tick it was kept from running, or at work.
    this.#ms += Math.min(nowMs - this.#seenMs, Math.max(2 * STEP_MS, (user + system) / 1_000));
    this.#seenMs = nowMs;
    this.#cpu = process.cpuUsage();
  }
}

import type { Cancel, Clock } from '../../core/time/clock.js';

/** What a wake-up says. */
export interface Grant {
  readonly fence: number;
  /** The time of the server, in microseconds. */
  readonly atUs: number;
  /** For how long. */
  readonly leaseMs: number;
}

/** A claim that waits in the queue. */
export class Waiter {
  #grant: Grant | null = null;
  #isWoken = false;
  #wakeUp: (() => void) | undefined;
  #onTold: ((ms: number) => void) | undefined;
  #toldMs = Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** It has the lock. */
  readonly grant = (grant: Grant): void => {
    this.#grant = grant;
    this.wake();
  };

  /** What it was woken with, if it was given the lock. Once. */
  takeGrant(): Grant | null {
    const grant = this.#grant;
    this.#grant = null;
    return grant;
  }

  /** It should see for itself. */
  readonly wake = (): void => {
    this.#isWoken = true;
    this.#wakeUp?.();
  };

  /** It is the first one now, and the lease that it waits for lasts for so long, unless it is prolonged. */
  tell(leaseMs: number): void {
    this.#toldMs = this.clock.monotonicMs() + leaseMs + 1;
    this.#onTold?.(this.#toldMs);
  }

  /**
   * Resolves when it should ask again, with true when it was woken or the caller's signal has aborted, with false when `ms` have passed, or the lease that it was
   * told of.
   */
  async until(ms: number): Promise<boolean> {
    if (!this.#isWoken && this.signal?.aborted !== true) await this.#sleep(this.clock.monotonicMs() + ms);
    const isWoken = this.#isWoken || this.signal?.aborted === true;
    this.#isWoken = false;
    this.#toldMs = Infinity;
    return isWoken;
  }

  async #sleep(untilMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      let cancelTimer: Cancel = () => undefined;
      this.#onTold = (toldMs) => {
        cancelTimer();
        cancelTimer = this.clock.setTimeout(resolve, Math.min(untilMs, toldMs) - this.clock.monotonicMs());
      };
      this.#wakeUp = () => {
        cancelTimer();
        resolve();
      };
      this.#onTold(this.#toldMs);
      this.signal?.addEventListener('abort', this.wake, { once: true });
    });
    this.signal?.removeEventListener('abort', this.wake);
    this.#wakeUp = undefined;
    this.#onTold = undefined;
  }
}

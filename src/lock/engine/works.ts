import type { Clock } from '../../core/time/clock.js';

/** The functions that run while they hold a lock. */
export class Works {
  #running = 0;
  #onIdle: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

  begin(): void {
    this.#running += 1;
  }

  end(): void {
    this.#running -= 1;
    if (this.#running === 0) this.#onIdle?.();
  }

  /** Resolves when none runs any more, or `ms` have passed. */
  async untilIdle(ms: number): Promise<void> {
    if (this.#running === 0 || ms === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.clock.setTimeout(resolve, ms);
      this.#onIdle = () => {
        cancel();
        resolve();
      };
    });
  }
}

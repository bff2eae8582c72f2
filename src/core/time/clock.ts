/** Stops what it was returned for. Calling it again, or after the fact, does nothing. */
export type Cancel = () => void;

/** Where the library gets its time from, so that tests can own it. */
export interface Clock {
  /** Wall clock, in milliseconds since the Unix epoch. May jump either way when the machine's time is set. */
  now(): number;

  /** Milliseconds since an arbitrary start. Never goes back: measure intervals and deadlines with this one. */
  monotonicMs(): number;

  /**
   * Calls `run` once, no earlier than `ms` milliseconds from now; a negative `ms` counts as 0. Any finite length is kept,
   * also one past the 24.8 days at which Node's own timers overflow and fire at once.
   */
  setTimeout(run: () => void, ms: number): Cancel;
}

/** Injection token of the {@link Clock}. Override it with a fake one in tests. */
export const CLOCK: unique symbol = Symbol('rookery:clock');

/** The longest delay that Node's timers hold; they turn a longer one into 1 ms. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The machine's own clock.
 *
 * Its timers never keep the process alive: a library's housekeeping must not stand between an application and its exit.
 * Work that has to be finished before the exit belongs in a shutdown hook.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimeout: (run, ms) => {
    const dueMs = performance.now() + ms;
    let timer: NodeJS.Timeout;

    const arm = (leftMs: number): void => {
      const waitMs = Math.min(Math.max(leftMs, 0), LONGEST_TIMER_MS);
      timer = setTimeout(() => (leftMs > LONGEST_TIMER_MS ? arm(dueMs - performance.now()) : run()), waitMs);
      timer.unref();
    };

    arm(ms);
    return () => clearTimeout(timer);
  },
};

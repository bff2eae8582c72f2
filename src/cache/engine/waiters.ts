import type { Cancel } from '../../core/time/clock.js';

/** A caller that waits for another's load. */
export interface Waiter {
  /** Resolves when it should look again: it was woken, or `ms` have passed. */
  until(ms: number): Promise<void>;
  /** Call when it no longer waits. */
  cancel: Cancel;
}

/** Who waits in this process for loads of other processes, by entry. */
export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Wakes those who wait for the entry; for null, everybody, since a wake may have been missed. */
  readonly wake = (entry: string | null): void => {
    if (entry === null) for (const waiters of [...this.#waiting.values()]) wakeAll(waiters);
    else wakeAll(this.#waiting.get(entry));
  };

  /** Begins to listen. Call it before asking to be woken, so that no wake is missed in between. */
  add(entry: string): Waiter {
    const waiters = this.#waiting.get(entry) ?? new Set();
    this.#waiting.set(entry, waiters);
    let isWoken = false;
    let wakeUp = (): void => undefined;
    const wake = (): void => {
      isWoken = true;
      wakeUp();
    };
    waiters.add(wake);
    return {
      until: (ms) =>
        new Promise((resolve) => {
          if (isWoken) {
            resolve();
            return;
          }
          const timer = setTimeout(resolve, ms);
          wakeUp = () => {
            clearTimeout(timer);
            resolve();
          };
        }),
      cancel: () => {
        waiters.delete(wake);
        if (waiters.size === 0 && this.#waiting.get(entry) === waiters) this.#waiting.delete(entry);
        // Whoever gave up waiting leaves no timer behind.
        wakeUp();
      },
    };
  }
}

function wakeAll(waiters: ReadonlySet<() => void> | undefined): void {
  for (const wake of waiters ?? []) wake();
}

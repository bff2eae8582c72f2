import type { Cancel } from '../../core/time/clock.js';
import type { StoredValue } from '../entry/entry-format.js';

/** A caller that waits for another's load. */
export interface Waiter {
  /** Resolves when it should look again: it was woken, or `ms` have passed. With what is to be found, when it was told of that. */
  until(ms: number): Promise<StoredValue | null>;
  /** Call when it no longer waits. */
  cancel: Cancel;
}

type Wake = (stored: StoredValue | null) => void;

/** Who waits in this process for loads of other processes, by entry. */
export class Waiters {
  readonly #waiting = new Map<string, Set<Wake>>();

  /** Wakes those who wait for the entry; for null, everybody, since a wake may have been missed. */
  readonly wake = (entry: string | null, stored: StoredValue | null): void => {
    if (entry === null) for (const waiters of [...this.#waiting.values()]) wakeAll(waiters, null);
    else wakeAll(this.#waiting.get(entry), stored);
  };

  /** Begins to listen. Call it before asking to be woken, so that no wake is missed in between. */
  add(entry: string): Waiter {
    const waiters = this.#waiting.get(entry) ?? new Set();
    this.#waiting.set(entry, waiters);
    let isWoken = false;
    let told: StoredValue | null = null;
    let wakeUp = (): void => undefined;
    const wake = (stored: StoredValue | null): void => {
      isWoken = true;
      told = stored;
      wakeUp();
    };
    waiters.add(wake);
    return {
      until: (ms) =>
        new Promise((resolve) => {
          if (isWoken) {
            resolve(told);
            return;
          }
          const timer = setTimeout(resolve, ms, null);
          wakeUp = () => {
            clearTimeout(timer);
            resolve(told);
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

function wakeAll(waiters: ReadonlySet<Wake> | undefined, stored: StoredValue | null): void {
  for (const wake of waiters ?? []) wake(stored);
}

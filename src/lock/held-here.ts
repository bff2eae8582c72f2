import { AsyncLocalStorage } from 'node:async_hooks';
import type { LockKeys } from './engine/lock-keys.js';
import type { LockHandle } from './lock-handle.js';

/** A lock that the running function holds, as what it calls may see it. */
export class HeldHere {
  readonly #locks: ReadonlySet<string>;
  #users = 1;

  /**
   * @param isWhole whether nobody else has it, as readers have
   * @param outer what is held around it
   */
  constructor(
    readonly handle: LockHandle,
    readonly isWhole: boolean,
    keys: readonly LockKeys[],
    private readonly outer: HeldHere | undefined,
  ) {
    this.#locks = new Set(keys.map(({ lock }) => lock));
  }

  /** The innermost that has all of these locks, and is held. */
  find(keys: readonly LockKeys[]): HeldHere | undefined {
    if (this.#users > 0 && this.handle.isHeld && keys.every(({ lock }) => this.#locks.has(lock))) return this;
    return this.outer?.find(keys);
  }

  enter(): void {
    this.#users += 1;
  }

  /** Returns whether that was the last one. */
  leave(): boolean {
    this.#users -= 1;
    return this.#users === 0;
  }
}

/** Where a running function finds what it holds. */
export const heldHere = new AsyncLocalStorage<HeldHere>();

/**
 * The innermost lock that the running method with `@Lock` holds, or the function that `using` runs with `reentrant: true`. Undefined elsewhere.
 */
export function currentLock(): LockHandle | undefined {
  return heldHere.getStore()?.handle;
}

import { AsyncLocalStorage } from 'node:async_hooks';
import type { LockKeys } from './engine/lock-keys.js';
import type { LockHandle } from './lock-handle.js';

/** A lock that several functions use, which have entered it one within the other. */
export class SharedHold {
  readonly #locks: ReadonlySet<string>;
  #users = 1;

  /** @param isWhole whether nobody else has it, as readers have */
  constructor(
    readonly handle: LockHandle,
    readonly isWhole: boolean,
    keys: readonly LockKeys[],
  ) {
    this.#locks = new Set(keys.map(({ lock }) => lock));
  }

  /** Whether it can be entered. */
  get isOpen(): boolean {
    return this.#users > 0 && this.handle.isHeld;
  }

  has({ lock }: LockKeys): boolean {
    return this.#locks.has(lock);
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

/** What the running function holds, the innermost first. */
export class HeldHere {
  constructor(
    readonly hold: SharedHold,
    private readonly outer: HeldHere | undefined,
  ) {}

  /** The innermost that has all of these locks, and can be entered. */
  find(keys: readonly LockKeys[]): SharedHold | undefined {
    if (this.hold.isOpen && keys.every((one) => this.hold.has(one))) return this.hold;
    return this.outer?.find(keys);
  }

  hasSomeOf(keys: readonly LockKeys[]): boolean {
    if (this.hold.isOpen && keys.some((one) => this.hold.has(one))) return true;
    return this.outer?.hasSomeOf(keys) ?? false;
  }
}

/** Where a running function finds what it holds. */
export const heldHere = new AsyncLocalStorage<HeldHere>();

/**
 * The innermost lock that the running method with `@Lock` holds, or the function that `using` runs with `reentrant: true`. Undefined elsewhere.
 */
export function currentLock(): LockHandle | undefined {
  return heldHere.getStore()?.hold.handle;
}

import type { KeyParts } from '../core/keys/key-part.js';

/** Several locks that are taken together. Made by {@link allOf}. */
export class AllOf {
  constructor(readonly names: readonly KeyParts[]) {}
}

/** What a lock is called: `'report'`, `['payment', 7]`, or several of them, `allOf(['stock', 1], ['stock', 2])`. */
export type LockName = KeyParts | AllOf;

/**
 * Several locks, all of them or none. They are taken in one step when they are free and lie in one slot; else one after the other in an order that all
 * processes share, so that nobody waits for somebody who waits for him.
 */
export function allOf(...names: readonly KeyParts[]): AllOf {
  return new AllOf(names);
}

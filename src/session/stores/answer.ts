import { asStoreError } from './session-store.errors.js';

/** A callback as the session libraries have it: the error first, and null when there is none. */
export type StoreCallback<Result = void> = (error: unknown, result?: Result) => void;

/**
 * Tells the callback how the work ended, once, and never within the call that began it. What the callback throws is thrown to the process, as from any
 * callback of Node, and is no rejection here. Without a callback nobody is told.
 */
export function answer<Result>(work: Promise<Result>, callback: StoreCallback<Result> | undefined): void {
  work.then(
    (result) => {
      if (callback !== undefined) process.nextTick(callback, null, result);
    },
    (error: unknown) => {
      if (callback !== undefined) process.nextTick(callback, asStoreError(error));
    },
  );
}

import type { Clock } from '../../../core/time/clock.js';
import { FlushAbortedError } from '../write-behind.errors.js';

/**
 * Runs something that is given up after `ms`, or when `parent` is aborted: then its own signal is aborted, and the promise rejects with the
 * signal's reason at once, whether the work heeds it or not.
 */
export async function withDeadline<T>(
  run: (signal: AbortSignal) => Promise<T>,
  { ms, clock, parent }: { readonly ms: number; readonly clock: Clock; readonly parent: AbortSignal },
): Promise<T> {
  parent.throwIfAborted();
  const controller = new AbortController();
  const { signal } = controller;
  const onAbort = (): void => controller.abort(parent.reason);
  parent.addEventListener('abort', onAbort);
  const cancel = clock.setTimeout(() => controller.abort(new FlushAbortedError('timeout')), ms);
  try {
    return await Promise.race([run(signal), rejectOnAbort(signal)]);
  } finally {
    cancel();
    parent.removeEventListener('abort', onAbort);
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

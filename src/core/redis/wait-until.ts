import type { Cancel, Clock } from '../time/clock.js';

/** Something that a caller waits for, with an end to the patience. */
export interface Wait {
  readonly isMet: () => boolean;
  /** Calls the listener whenever the answer may have changed. */
  readonly onChange: (listener: () => void) => Cancel;
  readonly withinMs: number;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  /** What to reject with when time is up. */
  readonly timedOut: () => Error;
}

/** Resolves as soon as it is met; rejects once time is up, or with the signal's reason. Leaves no listener and no timer behind. */
export function waitUntil({ isMet, onChange, withinMs, signal, clock, timedOut }: Wait): Promise<void> {
  if (isMet()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      stopListening();
      stopTimer();
      signal?.removeEventListener('abort', onAbort);
      finish();
    };
    const onAbort = (): void => settle(() => reject(signal?.reason as Error));
    const stopListening = onChange(() => {
      if (isMet()) settle(resolve);
    });
    const stopTimer = clock.setTimeout(() => settle(() => reject(timedOut())), withinMs);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
  });
}

import { OwnTime } from '../../support/own-time.js';

/** How a promise ended. */
export interface Outcome {
  readonly value?: unknown;
  readonly error?: unknown;
  readonly tookMs: number;
  /** As {@link OwnTime} sees it. */
  readonly ownMs: number;
}

/** The outcome of a promise and how long it was waited for. Never rejects. */
export async function timed(promise: Promise<unknown>): Promise<Outcome> {
  const started = performance.now();
  using own = new OwnTime();
  try {
    const value = await promise;
    return { value, tookMs: performance.now() - started, ownMs: own.ms };
  } catch (error) {
    return { error, tookMs: performance.now() - started, ownMs: own.ms };
  }
}

/**
 * How a promise ended that had to end without waiting for anything: no reply, no timer. Told by the turns of the event loop
 * and not by a clock, so that it holds on a busy machine.
 */
export async function atOnce(promise: Promise<unknown>): Promise<Outcome> {
  const nextTurn = new Promise<'waiting'>((resolve) => void setImmediate(resolve, 'waiting'));
  const outcome = await Promise.race([timed(promise), nextTurn]);
  if (outcome === 'waiting') throw new Error('It was still waiting in the next turn of the event loop');
  return outcome;
}

/** The outcomes of many, once all have settled. */
export function settled(promises: readonly Promise<unknown>[]): Promise<Outcome[]> {
  return Promise.all(promises.map(timed));
}

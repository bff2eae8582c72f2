/** How a promise ended. */
export interface Outcome {
  readonly value?: unknown;
  readonly error?: unknown;
  readonly tookMs: number;
}

/** The outcome of a promise and how long it was waited for. Never rejects. */
export async function timed(promise: Promise<unknown>): Promise<Outcome> {
  const started = performance.now();
  try {
    const value = await promise;
    return { value, tookMs: performance.now() - started };
  } catch (error) {
    return { error, tookMs: performance.now() - started };
  }
}

/** The outcomes of many, once all have settled. */
export function settled(promises: readonly Promise<unknown>[]): Promise<Outcome[]> {
  return Promise.all(promises.map(timed));
}

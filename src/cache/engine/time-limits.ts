/** Names what ended a wait. */
export type Limit = 'soft' | 'hard';

/**
 * Waits for `work` no longer than the limits allow, counted from `sinceMs` on `performance.now()`. Resolves with the work's result, or with the limit that was
 * reached first; the work goes on, and its failure is then nobody's.
 */
export async function within<T>(
  work: Promise<T>,
  sinceMs: number,
  softMs: number | null,
  hardMs: number | null,
): Promise<{ readonly result: T } | Limit> {
  const limitMs = Math.min(softMs ?? Infinity, hardMs ?? Infinity);
  if (limitMs === Infinity) return { result: await work };
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Limit>((resolve) => {
    const which = softMs !== null && softMs <= limitMs ? 'soft' : 'hard';
    timer = setTimeout(resolve, Math.max(0, sinceMs + limitMs - performance.now()), which);
  });
  try {
    return await Promise.race([work.then((result) => ({ result })), limit]);
  } finally {
    clearTimeout(timer);
    work.catch(ignoreSinceItIsCounted);
  }
}

function ignoreSinceItIsCounted(): void {
  // The load counts its failures itself.
}

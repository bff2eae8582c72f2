/**
 * Calls `expired` once `ms` have passed, unless the returned function was called before.
 *
 * A reply that already lies in the socket is never counted as late: when the event loop itself was blocked, its timers run before its
 * sockets are read, so the verdict waits for one pass over the sockets.
 */
export function startDeadline(ms: number, expired: () => void): () => void {
  let verdict: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    verdict = setImmediate(expired);
  }, ms);
  return () => {
    clearTimeout(timer);
    if (verdict !== undefined) clearImmediate(verdict);
  };
}

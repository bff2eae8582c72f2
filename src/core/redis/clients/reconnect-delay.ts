const FIRST_RETRY_MS = 25;
const LONGEST_RETRY_MS = 500;

/** Quick at first, then at most twice a second: a server that is back is found within half a second. Jitter keeps a fleet from knocking in step. */
export function reconnectDelayMs(attempt: number): number {
  const backoff = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt, 10), LONGEST_RETRY_MS);
  return Math.ceil(backoff * (0.5 + Math.random() / 2));
}

/** What all Redlocks have by default, in milliseconds. */
const DEFAULT_RETRY_MS = 200;

/** The settings of a Redlock that asks again every `retryMs`, or as often as it does by default, for as long as `waitMs` takes. */
export function retries(waitMs, retryMs) {
  const retryCount = Math.ceil(waitMs / (retryMs ?? DEFAULT_RETRY_MS));
  if (retryMs === undefined) return { retryCount };
  return { retryCount, retryDelay: retryMs, retryJitter: retryMs / 2 };
}

export const NO_RETRY = { retryCount: 0 };

import { AsyncLocalStorage } from 'node:async_hooks';

/** What the cached reads of one request came to: a miss as soon as one of them missed. */
export interface CacheStatus {
  outcome: 'hit' | 'miss' | undefined;
}

/** Costs nothing until the first request runs inside it, which is when somebody uses `CacheStatusInterceptor`. */
export const cacheStatus = new AsyncLocalStorage<CacheStatus>();

/** Notes the outcome of a read for the request that it was made for, if any asks. */
export function reportOutcome(hit: boolean): void {
  const status = cacheStatus.getStore();
  if (status !== undefined && status.outcome !== 'miss') status.outcome = hit ? 'hit' : 'miss';
}

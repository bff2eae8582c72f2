import { AsyncLocalStorage } from 'node:async_hooks';

/** What became of a request at a cache. */
export type CacheOutcome = 'hit' | 'miss' | 'stale' | 'bypass';

/** What the cached reads of one request came to: a miss as soon as one of them missed. */
export interface CacheStatus {
  outcome: 'hit' | 'miss' | undefined;
  /** What became of the answer as a whole, where `@CacheResponse` decided. It says more than the reads beneath it. */
  response?: CacheOutcome;
}

/** Costs nothing until the first request runs inside it, which is when somebody uses `CacheStatusInterceptor`. */
export const cacheStatus = new AsyncLocalStorage<CacheStatus>();

/** Notes the outcome of a read for the request that it was made for, if any asks. */
export function reportOutcome(hit: boolean): void {
  const status = cacheStatus.getStore();
  if (status !== undefined && status.outcome !== 'miss') status.outcome = hit ? 'hit' : 'miss';
}

/** Notes the outcome of a request whose answer is cached as a whole. */
export function reportResponse(outcome: CacheOutcome): void {
  const status = cacheStatus.getStore();
  if (status !== undefined) status.response = outcome;
}

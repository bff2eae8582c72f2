import { RookeryError } from '../core/errors/rookery-error.js';

/** A value could not be loaded lately, by this process or another, and the loader is left alone until `retryAfterMs` have passed. */
export class CacheLoadError extends RookeryError {
  readonly code = 'ROOKERY_CACHE_LOAD';

  constructor(
    cache: string,
    /** In milliseconds, at least 1. */
    readonly retryAfterMs: number,
  ) {
    super(`A value of cache '${cache}' could not be loaded a moment ago; it is tried again in ${retryAfterMs} ms.`, {
      context: { cache, retryAfterMs },
    });
  }
}

/** A load took longer than `hardTimeout`, and there was no stale value to serve. The load goes on, for later callers. */
export class CacheTimeoutError extends RookeryError {
  readonly code = 'ROOKERY_CACHE_TIMEOUT';

  constructor(cache: string, hardTimeoutMs: number) {
    super(`A value of cache '${cache}' was not loaded within ${hardTimeoutMs} ms.`, {
      context: { cache, hardTimeoutMs },
    });
  }
}

/** A cache with a `scope` was used where there is none: outside a request, say. Nothing was read or written. */
export class MissingScopeError extends RookeryError {
  readonly code = 'ROOKERY_CACHE_SCOPE';

  constructor(cache: string) {
    super(
      `Cache '${cache}' was used where its scope() gives nothing. Call it inside the context that the scope is read from, or give this work a cache without a scope.`,
      { context: { cache } },
    );
  }
}

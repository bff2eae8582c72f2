import { RookeryError } from '../core/errors/rookery-error.js';

/** A call that could never be right: a cost that is not a whole number above 0 or lies above the limit, a limit that a function got wrong. Nothing was counted. */
export class RateLimitUsageError extends RookeryError {
  readonly code = 'ROOKERY_RATE_LIMIT_USAGE';
}

/** Thrown by `RateLimiter.run` when there is no room. */
export class RateLimitExceededError extends RookeryError {
  readonly code = 'ROOKERY_RATE_LIMIT_EXCEEDED';

  constructor(
    /** The policies that refused. */
    readonly policies: readonly string[],
    /** After how many milliseconds there is room, if nobody else takes it. */
    readonly retryAfterMs: number,
  ) {
    super('The rate limit is exceeded.', { context: { policies: policies.join(', '), retryAfterMs } });
  }
}

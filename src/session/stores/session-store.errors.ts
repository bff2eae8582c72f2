import { RedisUnavailableError } from '../../core/errors/redis.errors.js';

/**
 * What a session store answers while Redis is away: a `RedisUnavailableError` that Express, Fastify and Nest turn into a 503, since they look for a status in
 * errors.
 */
export class SessionStoreUnavailableError extends RedisUnavailableError {
  /** For Express. */
  readonly status = 503;
  /** For Fastify and Nest. */
  readonly statusCode = 503;
}

/** The error as a library that asks for sessions is to have it. */
export function asStoreError(error: unknown): unknown {
  if (!(error instanceof RedisUnavailableError)) return error;
  const { reason, mayHaveRun, context } = error;
  return new SessionStoreUnavailableError(reason, {
    connection: String(context['connection']),
    mayHaveRun,
    cause: error,
  });
}

import { RedisUnavailableError } from '../../core/errors/redis.errors.js';

/**
 * What a session store answers while Redis is away: a `RedisUnavailableError` with the marks by which Express, Fastify and Nest know an error that is to become a
 * response with a status, 503 here.
 */
export class SessionStoreUnavailableError extends RedisUnavailableError {
  readonly status = 503;
  readonly statusCode = 503;
  /** Clients are told no more than the status. */
  readonly expose = false;
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

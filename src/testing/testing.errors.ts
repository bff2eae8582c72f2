import { RookeryError } from '../core/errors/rookery-error.js';

/** No Redis or Valkey server is to be had on this machine. The message names the ways to get one. */
export class RedisBinaryNotFoundError extends RookeryError {
  readonly code = 'ROOKERY_REDIS_BINARY_NOT_FOUND';
}

/** A server was started and did not come up, or would not do what was asked of it. The message ends with its own last words. */
export class RedisServerError extends RookeryError {
  readonly code = 'ROOKERY_REDIS_SERVER';
}

import { RedisReplyError, RedisUnavailableError } from '../../core/errors/redis.errors.js';
import { ScriptReplyError } from '../../core/scripts/script-reply.error.js';

/** Whether it is the store that failed, which a cache can live with, and not the program, which has to hear of it. */
export function isStoreError(error: unknown): boolean {
  return (
    error instanceof RedisUnavailableError || error instanceof RedisReplyError || error instanceof ScriptReplyError
  );
}

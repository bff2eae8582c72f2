import { RedisUnavailableError } from 'rookery';
import { CacheLoadError, WriteBehindFullError } from 'rookery/cache';
import { LockLostError } from 'rookery/lock';
import { isDatabaseUnavailable } from '../database/database-unavailable.js';

/** Why the same request may succeed later, in words for the client; undefined for a failure that does not pass by itself. */
export function whyUnavailable(error: unknown): string | undefined {
  if (isDatabaseUnavailable(error)) return 'The database is out of reach; try again';
  if (error instanceof RedisUnavailableError) return 'Redis is out of reach; try again';
  if (error instanceof LockLostError) return 'It was given up halfway, since its lock was lost; try again';
  if (error instanceof WriteBehindFullError) return 'More is waiting to be stored than the database takes; try again';
  // Another process has just failed to load it, and reported the reason.
  if (error instanceof CacheLoadError) return 'What was asked for could not be read a moment ago; try again';
  return undefined;
}

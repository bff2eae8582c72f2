import { ConfigurationError } from '../core/errors/configuration.error.js';
import { durationMs } from '../core/time/duration.js';
import { checkJitter, type CacheConfig } from './cache-config.js';
import type { ExpiryOptions } from './cache.options.js';

/**
 * How long an entry is to live, in whole milliseconds; 0 when it must not be stored at all. `random` yields numbers from 0 to below 1.
 *
 * An absolute expiry becomes a duration by this process's clock: a server whose clock is off keeps the entry no longer for it.
 */
export function timeToLiveMs(
  config: Pick<CacheConfig, 'ttlMs' | 'jitter'>,
  options: ExpiryOptions,
  nowMs: number,
  random: () => number,
): number {
  const ttlMs = options.ttl === undefined ? config.ttlMs : durationMs(options.ttl);
  const jitter = options.jitter ?? config.jitter;
  if (options.jitter !== undefined) checkJitter(jitter, 'jitter');
  const jittered = jitter === 0 ? ttlMs : Math.max(Math.min(ttlMs, 1), Math.round(ttlMs * (1 - jitter * random())));
  if (options.expiresAt === undefined) return jittered;
  const leftMs = options.expiresAt.getTime() - nowMs;
  if (Number.isNaN(leftMs)) throw new ConfigurationError('expiresAt is an invalid date.');
  return Math.max(0, Math.min(jittered, leftMs));
}

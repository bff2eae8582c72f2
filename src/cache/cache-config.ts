import type { Codec } from '../core/codec/codec.js';
import { jsonCodec } from '../core/codec/json.codec.js';
import { ConfigurationError } from '../core/errors/configuration.error.js';
import { durationOption, timerOption } from '../core/time/duration-option.js';
import type { CacheSettings } from './cache.options.js';

/** A cache's settings with every default filled in. */
export interface CacheConfig {
  readonly name: string;
  readonly ttlMs: number;
  readonly jitter: number;
  readonly codec: Codec;
  readonly deadlineMs: number;
}

/** Fills defaults in and checks the result. Throws `ConfigurationError` naming the option. */
export function resolveCacheConfig(name: string, settings: CacheSettings): CacheConfig {
  const { ttl = '5m', jitter = 0, codec = jsonCodec, redisDeadline = '50ms' } = settings;
  const option = (path: string): string => `CacheModule: ${path} of cache '${name}'`;
  if (name === '') throw new ConfigurationError('CacheModule: the name of a cache must not be empty.');
  checkJitter(jitter, option('jitter'));
  return {
    name,
    codec,
    jitter,
    ttlMs: durationOption(ttl, option('ttl')),
    deadlineMs: timerOption(redisDeadline, option('redisDeadline')),
  };
}

/** Throws `ConfigurationError`, naming `option`, for a jitter that is no share from 0 to 1. */
export function checkJitter(jitter: number, option: string): void {
  if (jitter >= 0 && jitter <= 1) return;
  throw new ConfigurationError(`${option} must lie between 0 and 1; it is ${jitter}.`);
}

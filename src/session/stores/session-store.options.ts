import { durationOption, timerOption } from '../../core/time/duration-option.js';
import type { Duration } from '../../core/time/duration.js';

/** Options of the stores for the session libraries of Express and Fastify. */
export interface SessionStoreOptions {
  /** Keeps the sessions of this store apart from those of other stores on the same connection. Default: none. */
  readonly prefix?: string;
  /** How long a session lasts after it was last written or touched, when its cookie does not expire. Default `'1d'`. */
  readonly ttl?: Duration;
  /** How long one command may take. Default `'1s'`. */
  readonly redisDeadline?: Duration;
}

/** The options of a store, checked and with their defaults. */
export interface SessionStoreConfig {
  /** None for the sessions of the default store. */
  readonly names: readonly string[];
  readonly ttlMs: number;
  readonly deadlineMs: number;
}

/** @throws {ConfigurationError} that names the option */
export function resolveStoreConfig({ prefix, ttl, redisDeadline }: SessionStoreOptions): SessionStoreConfig {
  return {
    names: prefix === undefined ? [] : [prefix],
    ttlMs: durationOption(ttl ?? '1d', 'RedisSessionStore: ttl'),
    deadlineMs: timerOption(redisDeadline ?? '1s', 'RedisSessionStore: redisDeadline'),
  };
}

import type { Codec } from '../core/codec/codec.js';
import type { Duration } from '../core/time/duration.js';

/** How long a value is kept. */
export interface ExpiryOptions {
  /** Time to live. */
  readonly ttl?: Duration;
  /**
   * Shortens each TTL by a random share of up to this much, 0 to 1, so that entries that were written together do not expire together:
   * with `0.1`, a TTL of `'10m'` lasts 9 to 10 minutes.
   */
  readonly jitter?: number;
  /** Not kept beyond this moment, whatever the TTL; jitter never moves it. In the past: not kept at all. */
  readonly expiresAt?: Date;
}

/** What every cache has; each named cache may set its own. */
export interface CacheSettings {
  /** Time to live unless a call says otherwise. Default `'5m'`. */
  readonly ttl?: Duration;
  /** See {@link ExpiryOptions.jitter}. Default 0. */
  readonly jitter?: number;
  /** How values become bytes. Default `jsonCodec`. Entries of another codec read as absent, so that it can be changed at any time. */
  readonly codec?: Codec;
  /** How long a caller waits for Redis before going on without it. Default `'50ms'`. */
  readonly redisDeadline?: Duration;
}

/** Options of `CacheModule.forRoot`. */
export interface CacheModuleOptions extends CacheSettings {
  /** Name of the Redis connection. Default: the default one. */
  readonly connection?: string;
}

/** A named cache, for `CacheModule.forFeature`. What it leaves out, it takes from `forRoot`. */
export interface NamedCacheOptions extends CacheSettings {
  /** Stands in every key of this cache. */
  readonly name: string;
}

import type { Codec } from '../core/codec/codec.js';
import type { KeyParts } from '../core/keys/key-part.js';
import type { Duration } from '../core/time/duration.js';
import type { InvalidationOptions } from './invalidation/invalidation.options.js';

/** A time to live, or a function that reads it off the value: adaptive caching. */
export type TimeToLive<Value> = Duration | ((value: Value) => Duration);

/** How long a value is kept. */
export interface ExpiryOptions<Value = unknown> {
  /** Time to live: how long the value counts as fresh. */
  readonly ttl?: TimeToLive<Value>;
  /**
   * Shortens each TTL by a random share of up to this much, 0 to 1, so that entries that were written together do not expire together:
   * with `0.1`, a TTL of `'10m'` lasts 9 to 10 minutes.
   */
  readonly jitter?: number;
  /** Not kept beyond this moment, whatever else is said; jitter never moves it. In the past: not kept at all. */
  readonly expiresAt?: Date;
}

/** What happens around the end of a value's time. All of it is off unless asked for, except `backoff`. */
export interface FreshnessOptions {
  /** TTL of `null`: what was looked for and does not exist. Default: as for every other value. */
  readonly negativeTtl?: Duration;
  /** Stale-while-revalidate: for this long after its TTL a value is still served, at once, while one caller loads a new one in the background. */
  readonly staleWhileRevalidate?: Duration;
  /** Fail-safe: for this long after its TTL a value is kept for the case that the loader fails, or exceeds a timeout; then it is served. */
  readonly failSafe?: Duration;
  /** How long a stale value serves after the loader failed, before the loader is asked again. Default `'10s'`. */
  readonly throttle?: Duration;
  /** How long a caller waits for a load while a stale value is at hand; then it is given that one, and the load goes on. */
  readonly softTimeout?: Duration;
  /** How long a caller waits for a load at all; then it is given a stale value, or else `CacheTimeoutError`, and the load goes on. */
  readonly hardTimeout?: Duration;
  /** A hit after this share of the TTL, above 0 and below 1, starts a load in the background: what is in use does not expire. */
  readonly eagerRefresh?: number;
  /**
   * Probabilistic early refresh (XFetch): hits near the end of the TTL start a load in the background, the likelier the nearer the end and the longer a load
   * takes. 1 is the optimum; more is earlier.
   */
  readonly earlyRefresh?: number;
  /**
   * After a failed load of a key without a stale value, nobody loads it for this long: callers get the failure. Client errors, which carry a `status`
   * from 400 to 499, are answers and not failures, and are not backed off. False: no backoff. Default `'500ms'`.
   */
  readonly backoff?: Duration | false;
}

/** Bounds of the memory tier. Both hold at once; what was not used for longest goes first. */
export interface MemoryOptions {
  /** Default 10,000. */
  readonly maxEntries?: number;
  /** Counted as encoded, with keys and overhead; objects may take a few times as much. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Longest stay in memory. Default: as long as the value is fresh. */
  readonly ttl?: Duration;
}

/** What every cache has; each named cache may set its own. */
export interface CacheSettings<Value = unknown> extends Omit<ExpiryOptions<Value>, 'expiresAt'>, FreshnessOptions {
  /** Time to live unless a call says otherwise. Default `'5m'`. */
  readonly ttl?: TimeToLive<Value>;
  /** See {@link ExpiryOptions.jitter}. Default 0. */
  readonly jitter?: number;
  /** How values become bytes. Default `jsonCodec`. Entries of another codec read as absent, so that it can be changed at any time. */
  readonly codec?: Codec;
  /** Values that are longer than this many bytes when encoded are compressed. Default: none is. */
  readonly compressAbove?: number;
  /** How long a caller waits for Redis before going on without it. Default `'50ms'`. */
  readonly redisDeadline?: Duration;
  /** Keeps copies in this process too, coherent with Redis. Their values are frozen. Default false. */
  readonly memory?: boolean | MemoryOptions;
  /**
   * How long a dead process can keep others from loading a key that it was loading. A living one keeps its lease for up to ten times as long. Default `'5s'`.
   */
  readonly lease?: Duration;
  /**
   * Whose entries these are: the tenant, the user, the language, from AsyncLocalStorage as a rule. It takes part in keys, tags and segments, so that no
   * scope sees or touches another's. When it gives `undefined` or null, calls reject with `MissingScopeError`. Default: one for all.
   */
  readonly scope?: () => KeyParts;
}

/** Options of `CacheModule.forRoot`. */
export interface CacheModuleOptions extends CacheSettings, InvalidationOptions {
  /** Name of the Redis connection. Default: the default one. */
  readonly connection?: string;
  /**
   * `'memory'` keeps everything in this process and needs no Redis: for small deployments and local work. The same API and semantics, for one process.
   * Default `'redis'`.
   */
  readonly store?: 'redis' | 'memory';
}

/** A named cache, for `CacheModule.forFeature`. What it leaves out, it takes from `forRoot`. */
export interface NamedCacheOptions<Value = unknown> extends CacheSettings<Value> {
  /** Stands in every key of this cache. */
  readonly name: string;
}

/** What marks an entry for invalidation together with others: a part or a list of parts, as in keys. */
export type CacheTag = KeyParts;

/** What an entry is tagged with. Given as a function, the tags are read off the value. */
export type CacheTags<Value> = readonly CacheTag[] | ((value: Value) => readonly CacheTag[]);

/** How one value is stored. */
export interface StoreOptions<Value = unknown>
  extends ExpiryOptions<Value>, Pick<FreshnessOptions, 'negativeTtl' | 'staleWhileRevalidate' | 'failSafe'> {
  /** What the entry can be invalidated by, beside its key. */
  readonly tags?: CacheTags<Value>;
}

/** How one `getOrSet` keeps what it loads. */
export interface GetOrSetOptions<Value = unknown> extends StoreOptions<Value>, FreshnessOptions {
  /** When it returns true for a loaded value, the value is handed out but not cached. */
  readonly unless?: (value: Value) => boolean;
}

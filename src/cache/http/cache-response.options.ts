import type { ExecutionContext } from '@nestjs/common';
import type { KeyPart, KeyParts } from '../../core/keys/key-part.js';
import type { Duration } from '../../core/time/duration.js';
import type { CacheTag, FreshnessOptions } from '../cache.options.js';
import type { CacheName } from '../define-cache.js';

/** Options of `@CacheResponse`. Functions are called with the context of the request, after its guards. */
export interface CacheResponseOptions extends Omit<FreshnessOptions, 'negativeTtl'> {
  /** The cache, by its name or its definition. Default: the default cache. It may hold other things, too. */
  readonly cache?: CacheName;
  /** How long an answer is served without running the handler. Default: the cache's; give one where that is a function, since it reads other values. */
  readonly ttl?: Duration;
  /** See `ExpiryOptions.jitter`. */
  readonly jitter?: number;
  /** Tags, for `cache.invalidateTags`. */
  readonly tags?: readonly CacheTag[] | ((context: ExecutionContext) => readonly CacheTag[]);
  /** The segment of the cache that the answers lie in, for `cache.invalidateSegment`. */
  readonly segment?: string;

  /** Stands in the key instead of the path and the query, for which see {@link responseKey}. */
  readonly key?: (context: ExecutionContext) => KeyParts;
  /**
   * The query parameters that the answer depends on, by their names in `request.query`; `brand[]`, `brand[x]` and `brand.x` go with `brand`. Others make no
   * entries of their own, and are taken out of `request.query` before the handler runs, so that nobody can put into the cache what they make of the
   * answer. Default: all.
   */
  readonly query?: readonly string[];
  /**
   * The request headers that the answer depends on, such as `accept-language`. They are sent as `Vary`. Values are told apart as they are, those of `accept`,
   * `accept-charset`, `accept-encoding` and `accept-language` without regard to case and spaces. Credentials are refused: see `per`.
   */
  readonly vary?: readonly string[];
  /**
   * Who the answer is for, such as `(context) => context.switchToHttp().getRequest().user?.id`. Each gets entries of their own. An authenticated
   * request for which it gives `undefined` or `null` is not cached.
   */
  readonly per?: (context: ExecutionContext) => KeyPart;
  /**
   * The answer is the same for everybody: authenticated requests are given it too, and proxies and CDNs may keep it. Default false:
   * answers to authenticated requests are not cached, unless `per` says for whom.
   */
  readonly shared?: boolean;

  /**
   * How long clients may use the answer without asking again: `Cache-Control: max-age`. No invalidation reaches them meanwhile. Default: not at
   * all (`no-cache`); they ask each time, and are told 304 when nothing has changed.
   */
  readonly maxAge?: Duration;
  /** The same for proxies and CDNs, `s-maxage`; only with `shared`. */
  readonly sharedMaxAge?: Duration;
  /**
   * Whether a client's `Cache-Control: no-cache` runs the handler, once for all who asked for that before it began, and replaces the entry, which stays when the
   * handler fails. Default false: a reload costs the source nothing.
   */
  readonly allowClientRefresh?: boolean;

  /** Statuses that are cached, when the handler sets them; of 200, 203, 204, 300, 301, 404 and 410. What is thrown is never cached. Default `[200]`. */
  readonly statuses?: readonly number[];
  /** Headers of the handler's to keep, besides those that describe the body. Others are sent on a miss alone, which the log says once. */
  readonly headers?: readonly string[];
  /** A longer body is sent but not cached. Default 1 MiB. */
  readonly maxBytes?: number;
  /** When it returns false, the handler runs as if it were not decorated. */
  readonly condition?: (context: ExecutionContext) => boolean;
  /** When it returns true for what the handler gave, that is sent but not cached. */
  readonly unless?: (result: unknown, context: ExecutionContext) => boolean;
  /**
   * Interceptors of the controller and of the application leave the body as it is, so that they can be handed it encoded. Set it
   * where they only watch: it makes hits faster, and lets handlers return instances of classes. Default false: they are handed what the handler gave.
   */
  readonly finalBody?: boolean;
}

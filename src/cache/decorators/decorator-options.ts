import type { Duration } from '../../core/time/duration.js';
import type { CacheTag, FreshnessOptions } from '../cache.options.js';
import type { CacheName } from '../define-cache.js';
import type {
  ArgumentsPredicate,
  ArgumentsTags,
  KeyFunction,
  KeysFunction,
  ResultPredicate,
  ResultTags,
  ResultTtl,
  SegmentFunction,
} from './method-types.js';

/** What the three decorators have in common. The functions take the arguments of the method, typed; fewer are fine. */
export interface DecoratorOptions<
  Named extends CacheName,
  Key extends KeyFunction,
  Condition extends ArgumentsPredicate,
  Segment extends SegmentFunction,
> {
  /** The cache, by its name or its definition. Default: the default cache. */
  readonly cache?: Named;
  /** What identifies the entry. The same key by hand reaches the same entry: `cache.get(42)`. */
  readonly key?: Key;
  /** The segment of the cache that the entry lies in, or a function that names it. */
  readonly segment?: string | Segment;
  /** When it returns false, the method runs as if it were not decorated. */
  readonly condition?: Condition;
}

/** Options of the decorators that store what the method returns. */
export interface StoringOptions<
  Named extends CacheName,
  Key extends KeyFunction,
  Condition extends ArgumentsPredicate,
  Segment extends SegmentFunction,
  Unless extends ResultPredicate,
  Tags extends ResultTags,
  Ttl extends ResultTtl,
>
  extends DecoratorOptions<Named, Key, Condition, Segment>, FreshnessOptions {
  /** Time to live, or a function that reads it off the result. */
  readonly ttl?: Duration | Ttl;
  /** See `ExpiryOptions.jitter`. */
  readonly jitter?: number;
  /** What the entry can be invalidated by, or a function that reads it off the result. */
  readonly tags?: readonly CacheTag[] | Tags;
  /** When it returns true for a result, the result is handed out but not stored. */
  readonly unless?: Unless;
}

/** Options of `@CacheEvict`: at least one of `key`, `keys`, `tags` and `segments`. */
export interface EvictOptions<
  Named extends CacheName,
  Key extends KeyFunction,
  Condition extends ArgumentsPredicate,
  Segment extends SegmentFunction,
  Keys extends KeysFunction,
  Tags extends ArgumentsTags,
> extends DecoratorOptions<Named, Key, Condition, Segment> {
  /** Several entries. */
  readonly keys?: Keys;
  /** Tags whose entries are invalidated, or a function that names them. */
  readonly tags?: readonly CacheTag[] | Tags;
  /** Segments whose entries are invalidated. */
  readonly segments?: readonly string[];
  /** Whether to evict once the method has succeeded, or before it runs, whatever becomes of it. Default `'after'`. */
  readonly when?: 'after' | 'before';
}

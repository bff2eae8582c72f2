import type { CacheKey } from '../cache.js';
import type { CacheTag } from '../cache.options.js';

/** What an event makes stale, in one cache. What is left out is left alone. */
export interface Invalidation {
  /** Entries, as in `cache.deleteMany(keys)`. */
  readonly keys?: readonly CacheKey[];
  /** Every entry that bears one of these tags, as in `cache.invalidateTags(tags)`. */
  readonly tags?: readonly CacheTag[];
  /** Every entry of these segments, as in `cache.invalidateSegment(name)`. */
  readonly segments?: readonly string[];
}

import { aroundMethod } from '../../core/aspects/around-method.js';
import type { CacheTag } from '../cache.options.js';
import type { CacheName } from '../define-cache.js';
import { CACHE_EVICT_ASPECT } from './aspect-tokens.js';
import type { EvictOptions } from './decorator-options.js';
import type {
  ArgumentsPredicate,
  ArgumentsTags,
  DecoratorFor,
  KeyFunction,
  KeysFunction,
  SegmentFunction,
} from './method-types.js';

/** At least one of them says what to evict. */
type Named<Key, Keys, Tags> =
  | { readonly key: Key }
  | { readonly keys: Keys }
  | { readonly tags: readonly CacheTag[] | Tags }
  | { readonly segments: readonly string[] };

/**
 * Evicts entries, by key, by tag or by segment, once the method has succeeded; when it fails, they stay. With `when: 'before'` they go first, whatever becomes of
 * the method.
 *
 * The method's result is returned when Redis has confirmed, or when it could not be told, in which case the eviction is repeated until it is: see
 * {@link Cache.delete} and {@link Cache.invalidateTags}. All of it is one round trip.
 */
export function CacheEvict<
  Key extends KeyFunction = () => never,
  Condition extends ArgumentsPredicate = () => boolean,
  Segment extends SegmentFunction = () => string,
  Keys extends KeysFunction = () => never,
  Tags extends ArgumentsTags = () => never,
>(
  options: EvictOptions<CacheName, Key, Condition, Segment, Keys, Tags> & Named<Key, Keys, Tags>,
): DecoratorFor<{ key: Key; condition: Condition; segment: Segment; keys: Keys; argumentsTags: Tags }> {
  return aroundMethod('CacheEvict', CACHE_EVICT_ASPECT, 'CacheModule.forRoot()', options);
}

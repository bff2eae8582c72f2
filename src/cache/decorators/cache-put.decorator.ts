import { aroundMethod } from '../../core/aspects/around-method.js';
import { CACHE_PUT_ASPECT } from './aspect-tokens.js';
import type { StoringOptions } from './decorator-options.js';
import type {
  ArgumentsPredicate,
  DecoratorFor,
  KeyFunction,
  ResultPredicate,
  ResultTags,
  ResultTtl,
  SegmentFunction,
} from './method-types.js';
import type { CacheName } from '../define-cache.js';

/**
 * Runs the method every time, and caches what it returns: write-through. First the source, then the cache; when the method
 * fails, the cache stays as it was.
 *
 * The method's result is returned whatever becomes of the cache; when it could not be stored, the entry that it should have replaced is evicted, see
 * {@link Cache.set}. A result of `undefined` evicts the entry.
 */
export function CachePut<
  Named extends CacheName = string,
  Key extends KeyFunction = () => never,
  Condition extends ArgumentsPredicate = () => boolean,
  Segment extends SegmentFunction = () => string,
  Unless extends ResultPredicate = () => boolean,
  Tags extends ResultTags = () => never,
  Ttl extends ResultTtl = () => never,
>(
  options: StoringOptions<Named, Key, Condition, Segment, Unless, Tags, Ttl> & { readonly key: Key },
): DecoratorFor<{
  cache: Named;
  key: Key;
  condition: Condition;
  segment: Segment;
  unless: Unless;
  resultTags: Tags;
  ttl: Ttl;
}> {
  return aroundMethod('CachePut', CACHE_PUT_ASPECT, 'CacheModule.forRoot()', options);
}

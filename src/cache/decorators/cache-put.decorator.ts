import { aroundMethod } from '../../core/aspects/around-method.js';
import { CACHE_PUT_ASPECT } from './aspect-tokens.js';
import type { StoringOptions } from './decorator-options.js';
import type { ArgumentsPredicate, DecoratorFor, KeyFunction, ResultPredicate } from './method-types.js';

/**
 * Runs the method every time, and caches what it returns: write-through. First the source, then the cache; when the method
 * fails, the cache stays as it was.
 *
 * The method's result is returned whatever becomes of the cache; when it could not be stored, the entry that it should have replaced is evicted, see
 * {@link Cache.set}. A result of `undefined` evicts the entry.
 */
export function CachePut<
  Key extends KeyFunction,
  Condition extends ArgumentsPredicate = () => boolean,
  Unless extends ResultPredicate = () => boolean,
>(options: StoringOptions<Key, Condition, Unless> & { readonly key: Key }): DecoratorFor<Key, Condition, Unless> {
  return aroundMethod('CachePut', CACHE_PUT_ASPECT, 'CacheModule.forRoot()', options);
}

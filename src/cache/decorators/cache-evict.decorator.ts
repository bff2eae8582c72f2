import { aroundMethod } from '../../core/aspects/around-method.js';
import { CACHE_EVICT_ASPECT } from './aspect-tokens.js';
import type { DecoratorOptions } from './decorator-options.js';
import type { ArgumentsPredicate, DecoratorFor, KeyFunction } from './method-types.js';

/**
 * Evicts an entry once the method has succeeded; when it fails, the entry stays. The method's result is returned when Redis has confirmed, or when it
 * could not be told, in which case the eviction is repeated until it is: see {@link Cache.delete}.
 */
export function CacheEvict<Key extends KeyFunction, Condition extends ArgumentsPredicate = () => boolean>(
  options: DecoratorOptions<Key, Condition> & { readonly key: Key },
): DecoratorFor<Key, Condition, () => boolean> {
  return aroundMethod('CacheEvict', CACHE_EVICT_ASPECT, 'CacheModule.forRoot()', options);
}

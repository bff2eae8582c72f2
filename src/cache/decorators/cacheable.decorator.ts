import { aroundMethod } from '../../core/aspects/around-method.js';
import { CACHEABLE_ASPECT } from './aspect-tokens.js';
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
 * Caches what a method returns: `getOrSet`, with the method as the loader and all the guarantees of {@link Cache.getOrSet}.
 *
 * Without a `key`, the key is the class, the method and the arguments, `['ProductsService.find', 42]`; arguments that cannot be
 * told apart by their content reject with `KeyEncodingError`, which says what to do. `undefined` is not cached.
 *
 * ```ts
 * @Cacheable({ cache: 'products', key: (id: number) => id, ttl: '10m', unless: (product) => product === null })
 * async find(id: number): Promise<Product | null> {}
 * ```
 */
export function Cacheable<
  Named extends CacheName = string,
  Key extends KeyFunction = () => never,
  Condition extends ArgumentsPredicate = () => boolean,
  Segment extends SegmentFunction = () => string,
  Unless extends ResultPredicate = () => boolean,
  Tags extends ResultTags = () => never,
  Ttl extends ResultTtl = () => never,
>(
  options: StoringOptions<Named, Key, Condition, Segment, Unless, Tags, Ttl> = {},
): DecoratorFor<{
  cache: Named;
  key: Key;
  condition: Condition;
  segment: Segment;
  unless: Unless;
  resultTags: Tags;
  ttl: Ttl;
}> {
  return aroundMethod('Cacheable', CACHEABLE_ASPECT, 'CacheModule.forRoot()', options);
}

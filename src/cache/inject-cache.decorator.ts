import { Inject } from '@nestjs/common';
import { nameOf, type CacheName } from './define-cache.js';

/** Token of the cache of that name. The same name gives the same token, also across copies of the package. */
export function cacheToken(cache: CacheName): symbol {
  return Symbol.for(`rookery:cache:${nameOf(cache)}`);
}

/** Injects the cache that `CacheModule.forFeature` or `CacheModule.forReadThrough` registered, by its name or its definition. */
export function InjectCache(cache: CacheName): PropertyDecorator & ParameterDecorator {
  return Inject(cacheToken(cache));
}

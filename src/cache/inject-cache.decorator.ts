import { Inject } from '@nestjs/common';
import { nameOf, type CacheName } from './define-cache.js';

/** Token of the cache of that name. The same name gives the same token, also across copies of the package. */
export function cacheToken(cache: CacheName): symbol {
  return Symbol.for(`rookery:cache:${nameOf(cache)}`);
}

/**
 * Injects what is registered under that name, or that definition: the `Cache` of `CacheModule.forFeature`, or the `ReadThroughCache` of
 * `CacheModule.forReadThrough`, whose `cache` is the plain one.
 */
export function InjectCache(cache: CacheName): PropertyDecorator & ParameterDecorator {
  return Inject(cacheToken(cache));
}

import { Inject } from '@nestjs/common';

/** Token of the cache of that name. The same name gives the same token, also across copies of the package. */
export function cacheToken(name: string): symbol {
  return Symbol.for(`rookery:cache:${name}`);
}

/** Injects the `Cache` that `CacheModule.forFeature` registered under `name`. */
export function InjectCache(name: string): PropertyDecorator & ParameterDecorator {
  return Inject(cacheToken(name));
}

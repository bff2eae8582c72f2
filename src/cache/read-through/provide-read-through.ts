import type { InjectionToken, OptionalFactoryDependency, Provider } from '@nestjs/common';
import type { Cache, CacheKey } from '../cache.js';
import { CacheRegistry } from '../cache-registry.js';
import { cacheToken } from '../inject-cache.decorator.js';
import { ReadThroughCache, type ReadThroughDefinition, type Source } from './read-through-cache.js';

/** Makes the source of a read-through cache of providers: repositories, clients. */
export interface SourceFactory<Key, Value> {
  readonly inject?: readonly (InjectionToken | OptionalFactoryDependency)[];
  readonly useFactory: (...dependencies: never[]) => Source<Key, Value> | Promise<Source<Key, Value>>;
}

/** The provider behind `@InjectCache(definition)`. */
export function provideReadThrough<Key extends CacheKey, Value>(
  definition: ReadThroughDefinition<Key, Value>,
  { inject = [], useFactory }: SourceFactory<Key, Value>,
): Provider {
  return {
    provide: cacheToken(definition),
    inject: [CacheRegistry, ...inject],
    useFactory: async (registry: CacheRegistry, ...dependencies: never[]) => {
      const { tags, unless, expiresAt, ...settings } = definition;
      const cache = registry.define(settings as never) as Cache<Value>;
      // Of what can be said per call, the rest holds for the whole cache already.
      const options = {
        ...(tags === undefined ? {} : { tags }),
        ...(unless === undefined ? {} : { unless }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      };
      return new ReadThroughCache<Key, Value>(cache, await useFactory(...dependencies), options);
    },
  };
}

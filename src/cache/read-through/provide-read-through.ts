import type { InjectionToken, ModuleMetadata, Provider } from '@nestjs/common';
import type { Cache, CacheKey } from '../cache.js';
import { CacheRegistry } from '../cache-registry.js';
import type { Injected } from '../injected.js';
import { cacheToken } from '../inject-cache.decorator.js';
import { ReadThroughCache, type ReadThroughDefinition, type Source } from './read-through-cache.js';

/** How a read-through cache gets its source: from what the application provides. */
export interface ReadThroughAsyncOptions<Key, Value, Tokens extends readonly InjectionToken[] = readonly []> {
  readonly imports?: ModuleMetadata['imports'];
  /** What `useFactory` is called with: repositories, clients. */
  readonly inject?: readonly [...Tokens];
  readonly useFactory: (...dependencies: Injected<Tokens>) => Source<Key, Value> | Promise<Source<Key, Value>>;
}

/** The provider behind `@InjectCache(definition)`. */
export function provideReadThrough<Key extends CacheKey, Value, const Tokens extends readonly InjectionToken[]>(
  definition: ReadThroughDefinition<Key, Value>,
  { inject, useFactory }: ReadThroughAsyncOptions<Key, Value, Tokens>,
): Provider {
  return {
    provide: cacheToken(definition),
    inject: [CacheRegistry, ...(inject ?? [])],
    useFactory: async (registry: CacheRegistry, ...dependencies: Injected<Tokens>) => {
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

import { Module, type DynamicModule, type InjectionToken } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { CacheRegistry } from './cache-registry.js';
import { CACHE_OPTIONS, ConfigurableModuleClass } from './cache.module-definition.js';
import type { NamedCacheOptions } from './cache.options.js';
import { CacheService } from './cache.service.js';
import type { CacheKey } from './cache.js';
import { CACHE_EVICT_ASPECT, CACHE_PUT_ASPECT, CACHEABLE_ASPECT } from './decorators/aspect-tokens.js';
import { CacheEvictAspect } from './decorators/cache-evict.aspect.js';
import { CachePutAspect } from './decorators/cache-put.aspect.js';
import { CacheableAspect } from './decorators/cacheable.aspect.js';
import { RESPONSE_ROUTES, ResponseRoutes } from './http/response-routes.js';
import { cacheToken } from './inject-cache.decorator.js';
import type { ReadThroughDefinition } from './read-through/read-through-cache.js';
import { provideReadThrough, type ReadThroughAsyncOptions } from './read-through/provide-read-through.js';
import { InvalidationRules } from './invalidation/invalidation-rules.js';
import type { WriteBehindDefinition } from './write-behind/define-write-behind.js';
import type { WriteBehindKey } from './write-behind/write-behind-key.js';
import { WriteBehindModule, type WriteBehindAsyncOptions } from './write-behind/write-behind.module.js';

/**
 * Caches in Redis, as services and as decorators. Needs `RedisModule.forRoot` at the root of the application, unless it keeps everything in this process.
 *
 * `forRoot` brings the default cache and the decorators; `forFeature` registers named caches, `forReadThrough` one that knows its source, and `forWriteBehind` a
 * journal of writes.
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    CacheRegistry,
    InvalidationRules,
    { provide: RESPONSE_ROUTES, useClass: ResponseRoutes },
    { provide: CacheService, inject: [CacheRegistry], useFactory: (registry: CacheRegistry) => registry.service },
    { provide: CACHEABLE_ASPECT, useClass: CacheableAspect },
    { provide: CACHE_PUT_ASPECT, useClass: CachePutAspect },
    { provide: CACHE_EVICT_ASPECT, useClass: CacheEvictAspect },
  ],
  exports: [
    CACHE_OPTIONS,
    CacheRegistry,
    CacheService,
    CACHEABLE_ASPECT,
    CACHE_PUT_ASPECT,
    CACHE_EVICT_ASPECT,
    RESPONSE_ROUTES,
  ],
})
export class CacheModule extends ConfigurableModuleClass {
  /** Registers named caches, for `@InjectCache(name)` and for the `cache` option of the decorators, everywhere in the application. */
  static forFeature(...caches: readonly NamedCacheOptions<never>[]): DynamicModule {
    const tokens = caches.map(({ name }) => cacheToken(name));
    return {
      module: NamedCachesModule,
      global: true,
      providers: caches.map((options) => ({
        provide: cacheToken(options.name),
        inject: [CacheRegistry],
        useFactory: (registry: CacheRegistry) => registry.define(options as NamedCacheOptions),
      })),
      exports: tokens,
    };
  }

  /** Registers a cache that loads what it does not have, from a source that is made of providers; for `@InjectCache(definition)`, everywhere in the application. */
  static forReadThrough<Key extends CacheKey, Value, const Tokens extends readonly InjectionToken[] = readonly []>(
    definition: ReadThroughDefinition<Key, Value>,
    source: ReadThroughAsyncOptions<NoInfer<Key>, NoInfer<Value>, Tokens>,
  ): DynamicModule {
    return {
      module: NamedCachesModule,
      global: true,
      imports: source.imports ?? [],
      providers: [provideReadThrough(definition, source)],
      exports: [cacheToken(definition)],
    };
  }

  /** Registers a write-behind journal, which this process flushes too; for `@InjectWriteBehind(definition)`, everywhere in the application. */
  static forWriteBehind<
    Value,
    Key extends WriteBehindKey,
    const Tokens extends readonly InjectionToken[] = readonly [],
  >(
    definition: WriteBehindDefinition<Value, Key>,
    options: WriteBehindAsyncOptions<NoInfer<Value>, NoInfer<Key>, Tokens>,
  ): DynamicModule {
    return WriteBehindModule.register(definition, options);
  }
}

/** What `forFeature` and `forReadThrough` return: only the named caches, since a second copy of the CacheModule would bring a second registry. */
@Module({})
class NamedCachesModule {}

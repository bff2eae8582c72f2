export { Cache, type CacheKey, type Loader } from './cache.js';
export type { CacheCounters } from './cache-counters.js';
export { CacheModule } from './cache.module.js';
export { CacheLoadError, CacheTimeoutError, MissingScopeError } from './cache.errors.js';
export type { CacheEvent, CacheEventListener } from './cache-events.js';
export type {
  CacheModuleOptions,
  CacheSettings,
  CacheTag,
  CacheTags,
  ExpiryOptions,
  FreshnessOptions,
  GetOrSetOptions,
  MemoryOptions,
  NamedCacheOptions,
  StoreOptions,
  TimeToLive,
} from './cache.options.js';
export type { BatchLoader } from './engine/batch-load.js';
export type { PatternOptions, PatternResult } from './engine/cache-writer.js';
export { ANY, startingWith, type KeyPattern, type StartingWith } from './key-pattern.js';
export { CacheService } from './cache.service.js';
export { CacheEvict } from './decorators/cache-evict.decorator.js';
export { CachePut } from './decorators/cache-put.decorator.js';
export { Cacheable } from './decorators/cacheable.decorator.js';
export type { DecoratorOptions, EvictOptions, StoringOptions } from './decorators/decorator-options.js';
export { defineCache, type CacheDefinition, type CacheName, type CacheOf } from './define-cache.js';
export { CacheResponse } from './http/cache-response.decorator.js';
export type { CacheResponseOptions } from './http/cache-response.options.js';
export { responseKey, type ResponseKeyParts } from './http/response-key.js';
export { CacheStatusInterceptor } from './http/cache-status.interceptor.js';
export { InvalidateOn, type InvalidateOnOptions, type RuleDecorator } from './invalidation/invalidate-on.decorator.js';
export type { Invalidation } from './invalidation/invalidation.js';
export type {
  EventsToken,
  InvalidationEvent,
  InvalidationEvents,
  InvalidationOptions,
} from './invalidation/invalidation.options.js';
export { cacheToken, InjectCache } from './inject-cache.decorator.js';
export {
  defineReadThrough,
  ReadThroughCache,
  type ReadThroughDefinition,
  type ReadThroughOptions,
  type Source,
} from './read-through/read-through-cache.js';
export type { ReadThroughAsyncOptions } from './read-through/provide-read-through.js';
export {
  defineWriteBehind,
  type WriteBehindDefinition,
  type WriteBehindSettings,
} from './write-behind/define-write-behind.js';
export { InjectWriteBehind, writeBehindToken } from './write-behind/inject-write-behind.decorator.js';
export { WriteBehind, type DeadLetter, type WriteOptions } from './write-behind/write-behind.js';
export type { WriteBehindCounters } from './write-behind/write-behind-counters.js';
export {
  FlushAbortedError,
  WriteBehindFullError,
  WriteBehindOverflowError,
  type FlushAbortReason,
} from './write-behind/write-behind.errors.js';
export type { WriteBehindKey } from './write-behind/write-behind-key.js';
export type { WriteBehindAsyncOptions } from './write-behind/write-behind.module.js';
export type { Flush, FlushContext, WriteBehindEntry, WriteBehindOptions } from './write-behind/write-behind.options.js';

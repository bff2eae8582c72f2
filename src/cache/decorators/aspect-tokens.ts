/** Token of the work of `@Cacheable`. It stands in Nest's message when the module is missing, and so says what to import. */
export const CACHEABLE_ASPECT: unique symbol = Symbol('@Cacheable (import CacheModule.forRoot())');

/** Token of the work of `@CachePut`. */
export const CACHE_PUT_ASPECT: unique symbol = Symbol('@CachePut (import CacheModule.forRoot())');

/** Token of the work of `@CacheEvict`. */
export const CACHE_EVICT_ASPECT: unique symbol = Symbol('@CacheEvict (import CacheModule.forRoot())');

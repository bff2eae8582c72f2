/** Each stands in Nest's message when the module is missing, so the descriptions say what to import. */
export const CACHEABLE_ASPECT: unique symbol = Symbol('@Cacheable (import CacheModule.forRoot())');
export const CACHE_PUT_ASPECT: unique symbol = Symbol('@CachePut (import CacheModule.forRoot())');
export const CACHE_EVICT_ASPECT: unique symbol = Symbol('@CacheEvict (import CacheModule.forRoot())');

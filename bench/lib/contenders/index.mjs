import { openAsyncCacheDedupe } from './async-cache-dedupe.mjs';
import { openBentocache } from './bentocache.mjs';
import { openCacheManager } from './cache-manager.mjs';
import { openCacheable } from './cacheable.mjs';
import { openRaw } from './raw.mjs';
import { openRookery } from './rookery.mjs';

/**
 * Each opens a cache by `{ redis: { host, port }, tier, load, tags, ttlMs }` and gives `{ read(key), invalidateTags(tags), close() }`: the same
 * loader and the same tags for all of them, with the default settings of each where nothing is said.
 *
 * `tier` is `'redis'`, `'memory'` (the peers' process-local one) or `'both'`: memory in front of Redis, kept coherent as well as each can.
 */
export const contenders = {
  rookery: openRookery,
  bentocache: openBentocache,
  cacheable: openCacheable,
  'async-cache-dedupe': openAsyncCacheDedupe,
};

/** With those that not every claim is about: the floor, and what has no tags. */
export const allContenders = { raw: openRaw, ...contenders, 'cache-manager': openCacheManager };

/** For the header of a claim. */
export const PACKAGES = ['rookery', 'ioredis', 'bentocache', 'cacheable', '@keyv/redis', 'async-cache-dedupe'];

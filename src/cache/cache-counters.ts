/** What a cache counts. Plain fields that only grow, shown to OpenTelemetry as `rookery.cache.*` with the cache's name. */
export interface CacheCounters {
  /** Calls that were answered by a cached value, from memory or from the store. */
  hits: number;
  /** Those of the hits that memory answered, without a round trip. */
  memoryHits: number;
  /** Calls that were not. */
  misses: number;
  /** Those of the hits that were served beyond their TTL: while revalidating, because the loader failed, or because it was slow. */
  staleServed: number;
  /** Calls of a loader: fewer than `misses` where callers shared one. */
  loads: number;
  /** How long loads took together, in milliseconds. */
  loadMs: number;
  /** Loads that failed. */
  loadFailures: number;
  /** Loads that were started in the background, for a value that was still served. */
  refreshes: number;
  /** Times that a caller waited for a load in another process, or went on waiting after another look. */
  waits: number;
  /** Loaded values that were not stored, because their key or a tag was invalidated or written meanwhile. */
  loadsOvertaken: number;
  /** Entries that were there, but no longer good because of a tag. Counted as misses too. */
  deadByTag: number;
  /** Invalidations: of keys, tags, segments and patterns, each call once. */
  invalidations: number;
  /** Times that all copies in memory were dropped, because changes might have gone unheard. */
  memoryFlushes: number;
  /** Reads that went without Redis: it was away, or too slow. Counted as misses too. */
  readsWithoutRedis: number;
  /** Entries that could not be decoded. Counted as misses too. */
  unreadable: number;
  /** Values that were not stored because Redis was away or refused them. */
  writesLost: number;
  /** Loaded values that could not be encoded, and so were handed out but not stored. */
  unencodable: number;
  /** Keys and tags whose invalidation had to wait for Redis to come back. */
  evictionsDeferred: number;
  /** Deferred ones that were given up because too many waited, or because the process ended before Redis could be told. Their entries live until their TTL. */
  evictionsLost: number;
}

/** All at zero. */
export const newCacheCounters = (): CacheCounters => ({
  hits: 0,
  memoryHits: 0,
  misses: 0,
  staleServed: 0,
  loads: 0,
  loadMs: 0,
  loadFailures: 0,
  refreshes: 0,
  waits: 0,
  loadsOvertaken: 0,
  deadByTag: 0,
  invalidations: 0,
  memoryFlushes: 0,
  readsWithoutRedis: 0,
  unreadable: 0,
  writesLost: 0,
  unencodable: 0,
  evictionsDeferred: 0,
  evictionsLost: 0,
});

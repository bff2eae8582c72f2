/** What a cache counts. Plain fields that only grow, shown to OpenTelemetry as `rookery.cache.*` with the cache's name. */
export interface CacheCounters {
  /** Calls that were answered by a cached value. */
  hits: number;
  /** Calls that were not. */
  misses: number;
  /** Calls of a loader: fewer than `misses` where callers shared one. */
  loads: number;
  /** Loads that failed. */
  loadFailures: number;
  /** Reads that went without Redis: it was away, or too slow. Counted as misses too. */
  readsWithoutRedis: number;
  /** Entries that could not be decoded. Counted as misses too. */
  unreadable: number;
  /** Values that were not stored because Redis was away or refused them. */
  writesLost: number;
  /** Loaded values that could not be encoded, and so were handed out but not stored. */
  unencodable: number;
  /** Evictions that had to wait for Redis to come back. */
  evictionsDeferred: number;
  /** Deferred evictions that were given up because too many waited. Their entries live until their TTL. */
  evictionsLost: number;
}

/** All at zero. */
export const newCacheCounters = (): CacheCounters => ({
  hits: 0,
  misses: 0,
  loads: 0,
  loadFailures: 0,
  readsWithoutRedis: 0,
  unreadable: 0,
  writesLost: 0,
  unencodable: 0,
  evictionsDeferred: 0,
  evictionsLost: 0,
});

import { Keyv } from 'keyv';
import type { Cache } from '../cache.js';
import { KeyvStore } from './keyv-store.js';

/** Options of {@link createKeyv}. */
export interface CreateKeyvOptions {
  /**
   * Keeps these keys apart from everything else in the cache: `keyv.clear()` then empties this namespace alone, in one round trip however
   * many keys it has. The namespace is the segment of that name: `cache.invalidateSegment(namespace)` empties it too. Default: none, so
   * that `keyv.clear()` empties the whole cache, by a scan of the server that is not repeated when Redis is away.
   */
  readonly namespace?: string;
}

/** Keyv 6 has one switch where Keyv 5 has two functions to unset. */
const OPTIONS = { useKeyPrefix: false, serialization: false };

/**
 * A Keyv whose entries are kept by a Rookery cache, for `@nestjs/cache-manager`, `cache-manager` and whatever else takes a Keyv 5 or 6.
 *
 * - Redis is never in the way: a read without Redis is a miss, a write without it resolves with false, and nothing rejects or emits
 *   `error` for it. A key that was changed or deleted meanwhile, or a namespace that was cleared, is evicted when Redis is back.
 * - **Every entry expires.** A TTL is in milliseconds, as everywhere in Keyv; where Keyv would keep a value for ever (no TTL, or 0), the
 *   cache's own `ttl` holds. Ten years are the longest.
 * - Keys and namespaces cannot collide: they are separate parts of the key in Redis and not one joined string.
 * - Values are encoded once, by the cache's codec. A value that it cannot keep makes `set` resolve with false and emit `error`. They are
 *   stored in Keyv's own form, `{ value, expires }`, so give Keyv a namespace or a cache that nobody reads otherwise.
 * - There is no `iterator()`. `disconnect()` does nothing, since the connection is RedisModule's.
 *
 * Round trips: 1 for a read, a write, and as many reads or writes as one call brings (on a cluster, one per node); 2 for a
 * delete, whose answer says whether there was something to delete.
 */
export function createKeyv(cache: Cache, options: CreateKeyvOptions = {}): Keyv {
  const keyv = new Keyv({ ...OPTIONS, store: new KeyvStore(cache) });
  keyv.serialize = undefined;
  keyv.deserialize = undefined;
  // Set here because Keyv 5 takes a namespace that is left out as 'keyv'.
  keyv.namespace = options.namespace;
  return keyv;
}

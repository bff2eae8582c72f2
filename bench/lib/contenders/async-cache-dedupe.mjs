import { createCache } from 'async-cache-dedupe';
import { Redis } from 'ioredis';

/** See {@link contenders}. It has one tier, memory or Redis, and hands every caller in memory the same mutable object. */
export async function openAsyncCacheDedupe({ redis, tier, load, tags = [], ttlMs = 3_600_000 }) {
  const ttl = Math.ceil(ttlMs / 1_000);
  const client = tier === 'memory' ? undefined : new Redis(redis.port, redis.host);
  client?.on('error', () => undefined);
  const invalidation = tags.length > 0 && { referencesTTL: ttl };
  const storage =
    client === undefined
      ? { type: 'memory', options: { size: 1_000_000, invalidation: tags.length > 0 } }
      : { type: 'redis', options: { client, invalidation } };
  const cache = createCache({ ttl, storage });
  cache.define('read', { references: () => (tags.length > 0 ? [...tags] : null) }, (key) => load(key));
  return {
    read: (key) => cache.read(key),
    invalidateTags: (changed) => cache.invalidateAll(changed),
    close: async () => client?.disconnect(),
  };
}

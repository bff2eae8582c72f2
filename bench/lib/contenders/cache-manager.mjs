import { createKeyv } from '@keyv/redis';
import { createCache } from 'cache-manager';

/** See {@link contenders}. What @nestjs/cache-manager wraps: no tags. */
export async function openCacheManager({ redis, load, ttlMs = 3_600_000 }) {
  const cache = createCache({ stores: [createKeyv(`redis://${redis.host}:${redis.port}`)], ttl: ttlMs });
  return {
    read: (key) => cache.wrap(key, () => load(key)),
    close: () => cache.disconnect(),
  };
}

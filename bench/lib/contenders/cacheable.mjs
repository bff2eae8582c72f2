import { Cacheable, createKeyv as createMemory } from 'cacheable';
import { createKeyv } from '@keyv/redis';

/** See {@link contenders}. Its getOrSet takes no tags: with tags it is used as its pages show, by get and set. */
export async function openCacheable({ redis, tier, load, tags = [], ttlMs = 3_600_000, isolates = true }) {
  const remote = tier === 'memory' ? undefined : createKeyv(`redis://${redis.host}:${redis.port}`);
  const memory = tier === 'redis' ? undefined : createMemory({ useClone: isolates });
  const stores = memory === undefined ? { primary: remote } : { primary: memory, secondary: remote };
  const cacheable = new Cacheable({ ...stores, tags: tags.length > 0, ttl: ttlMs });
  cacheable.on('error', () => undefined);
  const readTagged = async (key) => {
    const found = await cacheable.get(key);
    if (found !== undefined) return found;
    const value = await load(key);
    await cacheable.set(key, value, { tags });
    return value;
  };
  return {
    read: (key) => (tags.length > 0 ? readTagged(String(key)) : cacheable.getOrSet(String(key), () => load(key))),
    invalidateTags: (changed) => cacheable.tags.invalidateTags(changed),
    close: () => cacheable.disconnect(),
  };
}

import { Redis } from 'ioredis';

/** Cache-aside by hand, with the same settings as the connection that Rookery makes. */
export async function openRaw({ redis, load, ttlMs = 3_600_000 }) {
  const client = new Redis(redis.port, redis.host, {
    protocol: 2,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
  });
  client.on('error', () => undefined);
  await client.connect();
  return {
    client,
    read: async (key) => {
      const found = await client.get(key);
      if (found !== null) return JSON.parse(found);
      const value = await load(key);
      await client.set(key, JSON.stringify(value), 'PX', ttlMs);
      return value;
    },
    close: async () => client.disconnect(),
  };
}

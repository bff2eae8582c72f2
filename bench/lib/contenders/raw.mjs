import { connect } from '../redis-client.mjs';

/** Cache-aside by hand. */
export async function openRaw({ redis, load, ttlMs = 3_600_000 }) {
  const client = await connect(redis);
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

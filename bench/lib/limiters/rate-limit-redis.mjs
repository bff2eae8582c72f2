import { RedisStore } from 'rate-limit-redis';
import { connect } from '../redis-client.mjs';

/** See {@link limiters}. The store of `express-rate-limit`, asked as its middleware asks it. */
export async function openRateLimitRedis({ redis, limit, windowMs }) {
  const client = await connect(redis);
  const store = new RedisStore({ prefix: 'shop:', sendCommand: (...words) => client.call(...words) });
  await store.init({ windowMs });
  return {
    consume: async (caller) => (await store.increment(caller)).totalHits <= limit,
    counted: async (caller) => (await store.get(caller)).totalHits,
    close: async () => client.disconnect(),
  };
}

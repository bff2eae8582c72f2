import { randomUUID } from 'node:crypto';
import { connect } from '../redis-client.mjs';

const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/** See {@link lockers}. The least that a lock can be: a key that expires, deleted by whoever wrote it. It cannot wait. */
export async function openRaw({ redis, ttlMs }) {
  const client = await connect(redis);
  client.defineCommand('release', { numberOfKeys: 1, lua: RELEASE });
  const tryAcquire = async (name) => {
    const key = `shop:lock:${name}`;
    const token = randomUUID();
    return (await client.set(key, token, 'PX', ttlMs, 'NX')) === null ? null : { key, token };
  };
  return {
    tryAcquire,
    async acquire(name) {
      const handle = await tryAcquire(name);
      if (handle === null) throw new Error('raw: the lock was to be free');
      return handle;
    },
    release: async ({ key, token }) => (await client.release(key, token)) === 1,
    close: async () => client.disconnect(),
  };
}

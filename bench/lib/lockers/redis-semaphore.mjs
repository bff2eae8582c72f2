import { Mutex, Semaphore } from 'redis-semaphore';
import { connect } from '../redis-client.mjs';

/** See {@link lockers}. One object for each caller, as it wants it. */
export async function openRedisSemaphore({ redis, ttlMs, waitMs, retryMs, limit }) {
  const client = await connect(redis);
  const options = {
    lockTimeout: ttlMs,
    acquireTimeout: waitMs,
    ...(retryMs !== undefined && { retryInterval: retryMs }),
  };
  const once = { ...options, acquireAttemptsLimit: 1 };
  const lockOf = (name, settings) =>
    limit === undefined ? new Mutex(client, name, settings) : new Semaphore(client, name, limit, settings);
  return {
    async acquire(name) {
      const lock = lockOf(name, options);
      await lock.acquire();
      return lock;
    },
    async tryAcquire(name) {
      const lock = lockOf(name, once);
      return (await lock.tryAcquire()) ? lock : null;
    },
    release: (lock) => lock.release(),
    close: async () => client.disconnect(),
  };
}

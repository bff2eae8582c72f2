import { openRaw } from './raw.mjs';
import { openRawToken } from './raw-token.mjs';
import { openRedisSemaphore } from './redis-semaphore.mjs';
import { openRedlock4 } from './redlock-4.mjs';
import { openRedlock5 } from './redlock-5.mjs';
import { openRookery } from './rookery.mjs';
import { openSesamecare } from './sesamecare.mjs';

/**
 * Each opens a locker by `{ redis: { host, port }, ttlMs, waitMs, retryMs, limit }` and gives `{ acquire(name), tryAcquire(name), release(handle), close() }`:
 * `acquire` resolves with a handle and waits for `waitMs` at most, `tryAcquire` with a handle, or null at once when others have the lock.
 *
 * `retryMs` is how often those ask again that do not queue: the default of each where nothing is said, but for as long as `waitMs` takes. With a `limit`, as many
 * have it at once, where a locker knows semaphores. Ours also tells how many are `waiting(name)`. Connections have the same settings for all.
 */
export const lockers = {
  raw: openRaw,
  'raw-token': openRawToken,
  rookery: openRookery,
  'redlock-4': openRedlock4,
  'redlock-5': openRedlock5,
  sesamecare: openSesamecare,
  'redis-semaphore': openRedisSemaphore,
};

/** For the header of a claim. */
export const PACKAGES = ['rookery', 'ioredis', 'redlock-4', 'redlock-5', '@sesamecare-oss/redlock', 'redis-semaphore'];

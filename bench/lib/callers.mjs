import { Crew } from './crew.mjs';

const TTL_MS = 30_000;
const WAIT_MS = 15_000;

/** Processes whose callers want the same locks. Each has a locker of every setup. */
export function openCallers(processes, setups, { host, port }, ttlMs = TTL_MS) {
  const config = { setups, redis: { host, port }, ttlMs, waitMs: WAIT_MS };
  return Crew.start(new URL('../workers/lock-callers.mjs', import.meta.url), processes, config);
}

/** All lockers that can wait, as they come, and those that ask again and again with little patience in between. */
export const WAITING_SETUPS = [
  { name: 'rookery', locker: 'rookery' },
  { name: 'redis-semaphore', locker: 'redis-semaphore' },
  { name: 'redis-semaphore, every 5 ms', locker: 'redis-semaphore', retryMs: 5 },
  { name: 'redlock 4', locker: 'redlock-4', isSlow: true },
  { name: 'redlock 4, every 5 ms', locker: 'redlock-4', retryMs: 5 },
  { name: 'redlock 5', locker: 'redlock-5', isSlow: true },
  { name: 'redlock 5, every 5 ms', locker: 'redlock-5', retryMs: 5 },
  { name: '@sesamecare-oss', locker: 'sesamecare', isSlow: true },
  { name: '@sesamecare-oss, every 5 ms', locker: 'sesamecare', retryMs: 5 },
];

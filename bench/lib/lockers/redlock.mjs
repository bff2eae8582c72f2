import { NO_RETRY, retries } from './retries.mjs';

/** What Redlock 5 and its fork have in common. */
export function openRedlock(client, { Redlock, ExecutionError }, { ttlMs, waitMs, retryMs }) {
  const redlock = new Redlock([client], retries(waitMs, retryMs));
  return {
    acquire: (name) => redlock.acquire([name], ttlMs),
    tryAcquire: (name) =>
      redlock.acquire([name], ttlMs, NO_RETRY).catch((reason) => {
        if (reason instanceof ExecutionError) return null;
        throw reason;
      }),
    release: (handle) => handle.release(),
    close: async () => client.disconnect(),
  };
}

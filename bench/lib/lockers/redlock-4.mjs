import Redlock from 'redlock-4';
import { connect } from '../redis-client.mjs';
import { NO_RETRY, retries } from './retries.mjs';

/** See {@link lockers}. Its `retryCount: 0` of one call is taken for none said, so whoever does not wait has an instance of its own. */
export async function openRedlock4({ redis, ttlMs, waitMs, retryMs }) {
  const client = await connect(redis);
  const patient = new Redlock([client], retries(waitMs, retryMs));
  const impatient = new Redlock([client], NO_RETRY);
  return {
    acquire: (name) => patient.lock(name, ttlMs),
    tryAcquire: (name) => impatient.lock(name, ttlMs).catch(isHeld),
    release: (handle) => handle.unlock(),
    close: async () => client.disconnect(),
  };
}

function isHeld(reason) {
  if (reason instanceof Redlock.LockError) return null;
  throw reason;
}

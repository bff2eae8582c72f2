import { ExecutionError, Redlock } from '@sesamecare-oss/redlock';
import { connect } from '../redis-client.mjs';
import { openRedlock } from './redlock.mjs';

/** See {@link lockers}. */
export async function openSesamecare(options) {
  return openRedlock(await connect(options.redis), { Redlock, ExecutionError }, options);
}

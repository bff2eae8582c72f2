import Redlock, { ExecutionError } from 'redlock-5';
import { connect } from '../redis-client.mjs';
import { openRedlock } from './redlock.mjs';

/** See {@link lockers}. */
export async function openRedlock5(options) {
  return openRedlock(await connect(options.redis), { Redlock, ExecutionError }, options);
}

import type { RedisConnection } from '../../core/redis/redis-connection.js';
import { sessionAge } from '../session.scripts.gen.js';
import { slotOfUser } from './session-id.js';
import type { SessionKeySpace } from './session-keys.js';

/** What sessions are asked by. */
interface AgeParts {
  readonly connection: RedisConnection;
  readonly keys: SessionKeySpace;
  readonly config: { readonly deadlineMs: number };
}

/**
 * How many milliseconds ago a session of a user was made, by the clock of the server that made it: what the clock of this process says does not count. Null
 * when it has ended.
 *
 * Rejects with `RedisUnavailableError` within `redisDeadline`. One round trip.
 */
export async function ageOfSession(
  { connection, keys, config }: AgeParts,
  user: string,
  handle: string,
): Promise<number | null> {
  const { key } = keys.place(slotOfUser(user), handle);
  const ageMs = await connection.scripts.run(sessionAge, { session: key }, {}, { deadlineMs: config.deadlineMs });
  return ageMs < 0 ? null : ageMs;
}

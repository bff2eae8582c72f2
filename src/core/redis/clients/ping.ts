import type { Redis } from 'ioredis';
import { replyCodeOf } from '../lanes/reply-errors.js';

/** Resolves when the server answered, were it with an error, since one that may not be pinged lives all the same. Rejects when the connection broke. */
export async function ping(client: Redis | null): Promise<void> {
  if (client === null) throw new Error('There is no connection.');
  try {
    await client.ping();
  } catch (error) {
    if (replyCodeOf(error) === null) throw error;
  }
}

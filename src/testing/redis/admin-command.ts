import { Redis } from 'ioredis';
import type { RedisAccess, RedisAddress } from './redis-address.js';

/** What a command may be given besides its name. */
export type CommandArgument = string | number | Buffer;

/**
 * One command on a connection of its own, which is closed whatever comes of it. Replies have their RESP2 form. Rejects
 * with the server's error, or when the server does not answer within `timeoutMs`.
 */
export async function adminCommand(
  address: RedisAddress,
  access: RedisAccess,
  [command, ...args]: readonly [string, ...CommandArgument[]],
  timeoutMs: number,
): Promise<unknown> {
  const client = new Redis({
    ...address,
    ...access,
    protocol: 2,
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    disconnectTimeout: 100,
  });
  // A failure reaches the caller through the promise; without a listener it would be printed as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}

import { createClient } from '@redis/client';

/** A connection of node-redis, which connect-redis asks for. */
export async function connectNodeRedis({ host, port }) {
  const client = createClient({ socket: { host, port } });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

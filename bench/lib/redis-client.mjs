import { Redis } from 'ioredis';

/** A connection with the same settings as the one that Rookery makes. */
export async function connect({ host, port }) {
  const client = new Redis(port, host, {
    protocol: 2,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

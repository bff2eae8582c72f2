import type { Cluster, Redis } from 'ioredis';

const PATIENCE_MS = 1_000;

/**
 * Says QUIT, so that replies under way still arrive, and cuts the connection after a second if the server does not answer: behind a hung or
 * blocked server, QUIT alone would wait for ever. Resolves when the client has ended.
 */
export async function closeClient(client: Redis | Cluster): Promise<void> {
  client.on('error', ignore);
  if (client.status === 'end') return;
  const ended = new Promise<void>((resolve) => client.once('end', resolve));
  if (client.status !== 'ready') {
    client.disconnect();
  } else {
    const impatience = setTimeout(() => client.disconnect(), PATIENCE_MS);
    await client.quit().catch(ignore);
    clearTimeout(impatience);
    client.disconnect();
  }
  const lastResort = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE_MS).unref());
  await Promise.race([ended, lastResort]);
}

function ignore(): void {
  // A connection that is being given up has nothing to tell any more.
}

import type { Cluster, Redis } from 'ioredis';

/** How long a server may take to hand over the replies that are under way. */
const PATIENCE_MS = 1_000;

/** How long to wait for the end of a connection that has been hung up on: longer than ioredis takes to cut it. */
const AFTERMATH_MS = 250;

/**
 * Says QUIT, so that replies under way still arrive, and cuts the connection after a second if the server does not answer: behind a hung or
 * blocked server, QUIT alone would wait for ever. Resolves when the client has ended.
 */
export async function closeClient(client: Redis | Cluster): Promise<void> {
  client.on('error', ignore);
  if (client.status === 'end') return;
  const ended = new Promise<void>((resolve) => client.once('end', resolve));
  if (client.status === 'ready') {
    client.quit().catch(ignore);
    await within(PATIENCE_MS, ended);
  }
  if (client.status !== ('end' as string)) {
    client.disconnect();
    await within(AFTERMATH_MS, ended);
  }
}

async function within(ms: number, happens: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([happens, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}

function ignore(): void {
  // A connection that is being given up has nothing to tell any more.
}

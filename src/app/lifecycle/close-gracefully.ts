import type { Server as HttpServer } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setImmediate as afterPoll, setTimeout as delay } from 'node:timers/promises';
import type { ShopApplication } from '../create-app.js';
import { Drain } from './drain.js';

/** How long clients and load balancers have to notice, before connections are refused. */
const NOTICE_MS = 250;
/** Node asks the kernel to hold 511 connections for it, and the kernel holds one more, first come first served. */
const BACKLOG = 512;
const REAP_EVERY_MS = 20;

/**
 * Closes the application without losing a request: first each response closes its connection while new ones are still
 * accepted, then nothing is accepted any more, and what is under way is finished. A client that was told so and opens another
 * connection nevertheless is refused; in the moment in which the listening ends it may be reset, which no server can prevent.
 */
export async function closeGracefully(app: ShopApplication): Promise<void> {
  const drain = app.get(Drain);
  const server: HttpServer = app.getHttpServer();
  drain.begin();
  await delay(NOTICE_MS);
  await emptyBacklog(server);
  await finishRequests(server, drain);
  await app.close();
}

/**
 * The kernel takes connections, and requests on them, before we do; Node accepts one in each turn of the event loop, and
 * the kernel resets those that wait when the listening ends. None waits once a whole turn has brought no new one. When clients go on opening
 * them without a pause, it ends when as many were accepted as can have waited: the next ones came after the notice.
 */
async function emptyBacklog(server: HttpServer): Promise<void> {
  let accepted = 0;
  const note = (): void => void (accepted += 1);
  server.on('connection', note);
  let before: number;
  do {
    before = accepted;
    await afterPoll();
    await afterPoll();
  } while (accepted > before && accepted < BACKLOG);
  server.off('connection', note);
}

/**
 * `http.Server.close()` also cuts the connections that look idle to it, among them those whose request is still unread in
 * the kernel. So only the listening is ended here, and idle connections are cut right after the event loop has read
 * everything that was there to read.
 */
async function finishRequests(server: HttpServer, drain: Drain): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
  const reaper = setInterval(() => setImmediate(() => drain.closeIdle()), REAP_EVERY_MS);
  await closed;
  clearInterval(reaper);
}

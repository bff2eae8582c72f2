import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { RedisServerError } from '../testing.errors.js';
import { LOOPBACK } from './redis-address.js';

/** A Cluster node talks to the others on its own port plus this. */
const BUS_OFFSET = 10_000;

/**
 * Where ports are looked for. No port is another one's bus port, and both lie below 32768, where Linux begins to hand out
 * ports to outgoing connections: nothing but another server can take one between our look and the server's bind.
 */
const FIRST_PORT = 11_000;
const LAST_PORT = FIRST_PORT + BUS_OFFSET - 1;

/** Handed out by this process and perhaps not bound yet. */
const handedOut = new Set<number>();

/**
 * `count` ports on loopback that were free a moment ago and that this process has not handed out before, each with its
 * bus port free as well when `withBus`. Another process may still be faster: the caller tries again with other ports.
 */
export async function freePorts(count: number, { withBus = false } = {}): Promise<number[]> {
  const ports: number[] = [];
  for (let attempt = 0; ports.length < count; attempt++) {
    if (attempt > 1_000) throw new RedisServerError(`No ${count} free ports between ${FIRST_PORT} and ${LAST_PORT}.`);
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if ((await isFree(port)) && (!withBus || (await isFree(port + BUS_OFFSET)))) ports.push(port);
    else handedOut.delete(port);
  }
  return ports;
}

/** The servers on these ports are gone, or never came up. */
export function returnPorts(ports: readonly number[]): void {
  for (const port of ports) handedOut.delete(port);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: LOOPBACK, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

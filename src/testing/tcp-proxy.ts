import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { RedisAddress } from '../core/redis/config/redis.options.js';
import { durationMs, type Duration } from '../core/time/duration.js';
import { freePorts, returnPorts } from './redis/free-ports.js';
import { LOOPBACK } from './redis/redis-address.js';
import { TcpRelay, type NetworkConditions } from './tcp-relay.js';

interface Connection {
  readonly sockets: readonly [client: Socket, server: Socket];
  readonly relays: readonly [TcpRelay, TcpRelay];
}

/**
 * A network between a client and a server that can be made to fail: real sockets on loopback.
 *
 * It begins healthy. `freeze`, `delay` and `refuse` last until `heal`. A TLS or Redis conversation passes through untouched.
 */
export class TcpProxy implements RedisAddress {
  readonly host = LOOPBACK;
  readonly port: number;
  readonly #target: RedisAddress;
  readonly #connections = new Set<Connection>();
  #conditions: NetworkConditions = { frozen: false, delayMs: 0 };
  #listener: Server | undefined;

  /** Use {@link startTcpProxy}. */
  constructor(target: RedisAddress, port: number) {
    this.#target = target;
    this.port = port;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Resets every open connection (RST, at both ends). New ones are let through. */
  cut(): void {
    for (const { sockets } of this.#connections) {
      for (const socket of sockets) reset(socket);
    }
  }

  /** Forwards nothing, in either direction, not even the end of a connection. Connections stay open, and new ones are accepted. */
  freeze(): void {
    this.#change({ ...this.#conditions, frozen: true });
  }

  /** Delivers all that arrives from now on this much later, in either direction: a round trip takes twice as long. */
  delay(by: Duration): void {
    this.#change({ ...this.#conditions, delayMs: durationMs(by) });
  }

  /** Resets every open connection and refuses new ones (ECONNREFUSED), as a machine without a server does. */
  async refuse(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    this.cut();
    if (listener !== undefined) await new Promise((resolve) => listener.close(resolve));
  }

  /** Ends every fault. What a freeze held back is delivered, in order. */
  async heal(): Promise<void> {
    await this.listen();
    this.#change({ frozen: false, delayMs: 0 });
  }

  /** Resets every connection and gives up the port. */
  async stop(): Promise<void> {
    await this.refuse();
    returnPorts([this.port]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Accepts connections; does nothing when it already does. */
  async listen(): Promise<void> {
    if (this.#listener !== undefined) return;
    const listener = createServer((client) => this.#connect(client));
    listener.listen(this.port, this.host);
    await once(listener, 'listening');
    this.#listener = listener;
  }

  #connect(client: Socket): void {
    const server = connect(this.#target.port, this.#target.host);
    const sockets = [client, server] as const;
    const conditions = (): NetworkConditions => this.#conditions;
    const relays = [new TcpRelay(client, server, conditions), new TcpRelay(server, client, conditions)] as const;
    const connection: Connection = { sockets, relays };
    this.#connections.add(connection);
    for (const socket of sockets) {
      socket.setNoDelay(true);
      // Every error is followed by 'close', which the relay hands on.
      socket.on('error', () => undefined);
      socket.once('close', () => {
        if (sockets.every(({ closed }) => closed)) this.#connections.delete(connection);
      });
    }
    for (const relay of relays) relay.deliver();
  }

  #change(conditions: NetworkConditions): void {
    this.#conditions = conditions;
    for (const { relays } of this.#connections) relays.forEach((relay) => relay.deliver());
  }
}

function reset(socket: Socket): void {
  // Node cannot reset what is being shut down: it would never be closed.
  if (!socket.writableEnded) socket.resetAndDestroy();
  // A reset alone waits for the connection to be made, or for what is still to be written.
  socket.destroy();
}

/** Starts a healthy {@link TcpProxy} in front of the target, on a free loopback port. Stop it, or `await using` it. */
export async function startTcpProxy(target: RedisAddress): Promise<TcpProxy> {
  const [port] = (await freePorts(1)) as [number];
  const proxy = new TcpProxy(target, port);
  await proxy.listen();
  return proxy;
}

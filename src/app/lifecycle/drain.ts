import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';

/** A client that has connected and not spoken yet gets this long to send its request, once the service stops. */
const FIRST_REQUEST_MS = 1_000;

interface Connection {
  readonly acceptedAtMs: number;
  readonly open: Set<ServerResponse>;
  /** What had been read when the last response was done: more means that a request is arriving. */
  bytesAtRest: number;
}

/**
 * Knows every connection and the requests that are under way on it, and lets them end well. Once it has begun, each
 * response, also of a request that came before, closes its connection: the client sends its next request elsewhere, and
 * none is caught on a connection that the server is closing.
 */
@Injectable()
export class Drain {
  readonly #connections = new Map<Socket, Connection>();
  #draining = false;

  get draining(): boolean {
    return this.#draining;
  }

  /** Call it before the server listens. */
  watch(server: Server): void {
    server.prependListener('connection', (socket: Socket) => this.#connected(socket));
    // Before the application sees the request: a response that is sent at once must bear the header too.
    server.prependListener('request', (request, response) => this.#requested(request, response));
  }

  begin(): void {
    this.#draining = true;
    for (const { open } of this.#connections.values()) {
      open.forEach(closeAfter);
    }
  }

  /** Closes the connections on which nothing is under way. */
  closeIdle(): void {
    const now = performance.now();
    for (const [socket, { acceptedAtMs, open, bytesAtRest }] of this.#connections) {
      const quiet = open.size === 0 && socket.bytesRead === bytesAtRest;
      const mayStillSpeak = bytesAtRest === 0 && now - acceptedAtMs < FIRST_REQUEST_MS;
      if (quiet && !mayStillSpeak) {
        socket.destroy();
      }
    }
  }

  #connected(socket: Socket): void {
    this.#connections.set(socket, { acceptedAtMs: performance.now(), open: new Set(), bytesAtRest: 0 });
    socket.once('close', () => this.#connections.delete(socket));
  }

  #requested({ socket }: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(socket);
    connection?.open.add(response);
    response.once('close', () => {
      if (connection !== undefined) {
        connection.open.delete(response);
        connection.bytesAtRest = socket.bytesRead;
      }
    });
    if (this.#draining) {
      closeAfter(response);
    }
  }
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) {
    response.setHeader('connection', 'close');
  }
}

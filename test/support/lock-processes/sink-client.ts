import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Claim } from './claims.js';
import { hearLines, tell } from './json-lines.js';
import type { FromSink } from './protocol.js';

/** The child's way to where it writes. */
export class SinkClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (isAccepted: boolean) => void>();
  #writes = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    hearLines(socket, (message) => {
      const { write, isAccepted } = message as FromSink;
      this.#waiting.get(write)?.(isAccepted);
      this.#waiting.delete(write);
    });
  }

  static async connect(port: number): Promise<SinkClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new SinkClient(socket);
  }

  /** Resolves with whether it was accepted. */
  write(claim: Claim): Promise<boolean> {
    this.#writes += 1;
    const write = this.#writes;
    return new Promise((resolve) => {
      this.#waiting.set(write, resolve);
      tell(this.#socket, { write, claim });
    });
  }

  end(claim: Claim): void {
    tell(this.#socket, { ended: claim });
  }

  fail(error: unknown): void {
    tell(this.#socket, { failure: String((error as Error).stack ?? error) });
  }

  close(): void {
    this.#socket.end();
  }
}

import { once } from 'node:events';
import { WebSocket } from 'ws';

/** What is answered to an operation: its data, or what its errors say of themselves. */
export interface GraphqlAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: Record<string, unknown> }[];
}

interface Frame {
  readonly type: string;
  readonly payload?: unknown;
}

/** A client of GraphQL over a WebSocket, as the protocol `graphql-transport-ws` has it, that sends one operation after the other. */
export class GraphqlSocket {
  #operations = 0;

  private constructor(private readonly socket: WebSocket) {}

  /** Connects to the application at `url`, with the headers that a browser would send. */
  static async open(url: string, headers: Record<string, string>): Promise<GraphqlSocket> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { headers });
    await once(socket, 'open');
    const client = new GraphqlSocket(socket);
    const welcome = client.#hear();
    client.#say({ type: 'connection_init' });
    await welcome;
    return client;
  }

  /** The first answer to the operation, which is the only one but for a subscription. */
  async ask(query: string): Promise<GraphqlAnswer> {
    this.#operations += 1;
    const id = String(this.#operations);
    const ended = this.#until(id, 'complete');
    const heard = this.#until(id, 'next', 'error');
    this.#say({ id, type: 'subscribe', payload: { query } });
    const { type, payload } = await heard;
    if (type === 'error') return { errors: payload as NonNullable<GraphqlAnswer['errors']> };
    await ended;
    return payload as GraphqlAnswer;
  }

  async close(): Promise<void> {
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }

  #say(frame: object): void {
    this.socket.send(JSON.stringify(frame));
  }

  async #hear(): Promise<Frame> {
    return JSON.parse(String((await once(this.socket, 'message'))[0])) as Frame;
  }

  #until(id: string, ...types: string[]): Promise<Frame> {
    return new Promise((resolve) => {
      const listener = (data: unknown): void => {
        const frame = JSON.parse(String(data)) as Frame & { readonly id?: string };
        if (frame.id !== id || !types.includes(frame.type)) return;
        this.socket.off('message', listener);
        resolve(frame);
      };
      this.socket.on('message', listener);
    });
  }
}

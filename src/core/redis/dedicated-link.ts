import type { Redis } from 'ioredis';
import { reconnectDelayMs } from './client-factory.js';
import { closeClient } from './close-client.js';

export interface DedicatedLinkOptions {
  /** Makes a client, not connected yet; null while there is no node to go to. */
  readonly open: () => Redis | null;
  /** How long the handshake may take. */
  readonly handshakeMs: number;
  /** A fresh connection is ready. Whatever was set up on the one before is gone. */
  readonly onReady: (client: Redis) => void;
  /** The connection was lost; another is being made. */
  readonly onLost: () => void;
}

/**
 * Keeps one connection open for one purpose: when it breaks, or is given up through {@link replace}, a fresh client takes its place,
 * at once and then at growing intervals of up to half a second, until {@link close}.
 */
export class DedicatedLink {
  #client: Redis | null = null;
  #ready = false;
  #closed = false;
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;
  #waiting: ((client: Redis | null) => void)[] = [];

  constructor(private readonly options: DedicatedLinkOptions) {}

  /** The client when it may be used now, else null. */
  get client(): Redis | null {
    return this.#ready ? this.#client : null;
  }

  /** The client as soon as it may be used; null when `ms` have passed or the link was closed before. */
  untilReady(ms: number): Promise<Redis | null> {
    if (this.#ready || this.#closed) return Promise.resolve(this.client);
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(null), ms);
      const settle = (client: Redis | null): void => {
        clearTimeout(timer);
        this.#waiting = this.#waiting.filter((waiting) => waiting !== settle);
        resolve(client);
      };
      this.#waiting.push(settle);
    });
  }

  start(): void {
    if (this.#closed || this.#client !== null) return;
    const client = this.options.open();
    if (client === null) {
      this.#later();
      return;
    }
    this.#client = client;
    const handshake = setTimeout(() => client.stream?.destroy(), this.options.handshakeMs);
    handshake.unref();
    client.on('error', ignore);
    client.once('ready', () => {
      clearTimeout(handshake);
      this.#ready = true;
      this.#attempt = 0;
      this.options.onReady(client);
      for (const settle of this.#waiting) settle(client);
    });
    client.once('end', () => {
      clearTimeout(handshake);
      this.#lost(client);
    });
    client.connect().catch(ignore);
  }

  /** Throws the present connection away, as one does with a hung one. */
  replace(): void {
    this.#client?.stream?.destroy();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = null;
    this.#ready = false;
    for (const settle of this.#waiting) settle(null);
    if (client !== null) await closeClient(client);
  }

  #lost(client: Redis): void {
    if (client !== this.#client) return;
    const wasReady = this.#ready;
    this.#client = null;
    this.#ready = false;
    if (wasReady) this.options.onLost();
    this.#later();
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.start(), this.#attempt === 0 ? 0 : reconnectDelayMs(this.#attempt));
    this.#timer.unref();
    this.#attempt += 1;
  }
}

function ignore(): void {
  // The 'end' event follows and leads to the next attempt.
}

import type { Redis } from 'ioredis';
import type { Cancel } from '../../time/clock.js';
import type { DedicatedTarget } from './dedicated-target.js';
import { guardHandshake } from '../lanes/handshake-guard.js';
import { reconnectDelayMs } from './reconnect-delay.js';

/** What a link is for. */
export interface DedicatedLinkOptions {
  readonly target: DedicatedTarget;
  /** How long the handshake may take. */
  readonly handshakeMs: number;
  /** A fresh connection is ready. Whatever was set up on the one before is gone. */
  readonly onReady?: (client: Redis) => unknown;
  /** A connection that had been ready is gone. */
  readonly onLost?: () => void;
}

/** A connection that lasted this long was a good one: then the next is tried at once. */
const GOOD_CONNECTION_MS = 1_000;

/**
 * Keeps one connection open for one purpose: when it breaks, or is given up through {@link replace}, a fresh client takes its place,
 * at once and then at growing intervals of up to half a second, until {@link close}.
 */
export class DedicatedLink {
  #client: Redis | null = null;
  #ready = false;
  #started = false;
  #closed = false;
  #attempt = 0;
  #readySinceMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopGuard: Cancel = () => undefined;
  readonly #waiting = new Set<(client: Redis | null) => void>();

  constructor(private readonly options: DedicatedLinkOptions) {}

  /** The client when it may be used now, else null. */
  get client(): Redis | null {
    return this.#ready ? this.#client : null;
  }

  /** The client as soon as it may be used; null when `ms` have passed or the link was closed before. */
  untilReady(ms: number): Promise<Redis | null> {
    if (this.#ready || this.#closed) return Promise.resolve(this.client);
    return new Promise((resolve) => {
      const settle = (client: Redis | null): void => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        resolve(client);
      };
      const timer = setTimeout(() => settle(null), ms);
      this.#waiting.add(settle);
    });
  }

  /** Connects; does nothing when that has been done. */
  start(): void {
    if (this.#started || this.#closed) return;
    this.#started = true;
    this.#open();
  }

  /** Throws the present connection away, as one does with a hung one, and makes another. */
  replace(): void {
    const client = this.#client;
    if (client === null) return;
    this.#lost(client);
    client.disconnect();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.replace();
    for (const settle of this.#waiting) settle(null);
  }

  #open(): void {
    const client = this.options.target.open();
    this.#client = client;
    if (client === null) {
      this.#later();
      return;
    }
    client.on('error', ignoreSinceTheEndFollows);
    this.#stopGuard = guardHandshake(client, this.options.handshakeMs, () => undefined);
    client.once('ready', () => this.#opened(client));
    client.once('end', () => this.#lost(client));
    client.connect().catch(ignoreSinceTheEndFollows);
  }

  #opened(client: Redis): void {
    if (client !== this.#client) return;
    this.#ready = true;
    this.#readySinceMs = performance.now();
    this.options.onReady?.(client);
    for (const settle of this.#waiting) settle(client);
  }

  #lost(client: Redis): void {
    if (client !== this.#client) return;
    this.#stopGuard();
    const wasReady = this.#ready;
    this.#client = null;
    this.#ready = false;
    // What is accepted and then closed again at once, by a proxy say, must not be tried without a pause.
    if (wasReady && performance.now() - this.#readySinceMs > GOOD_CONNECTION_MS) this.#attempt = 0;
    this.#later();
    if (wasReady) this.options.onLost?.();
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#open(), this.#attempt === 0 ? 0 : reconnectDelayMs(this.#attempt));
    this.#timer.unref();
    this.#attempt += 1;
  }
}

function ignoreSinceTheEndFollows(): void {
  // It leads to the next attempt.
}

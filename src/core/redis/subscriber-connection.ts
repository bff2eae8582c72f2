import type { Redis } from 'ioredis';
import { RedisUnavailableError } from '../errors/redis.errors.js';
import type { Cancel } from '../time/clock.js';
import { DedicatedLink } from './dedicated-link.js';
import { startDeadline } from './deadline.js';
import type { RedisConnectionConfig } from './redis-config.js';

export type MessageListener = (message: Buffer, channel: string) => void;

/**
 * The shared connection for Pub/Sub. Subscriptions outlive it: when it is lost or hangs, it is replaced and every channel is subscribed again.
 *
 * Pub/Sub keeps nothing for those who are away, so messages sent meanwhile are lost; {@link onGap} tells when that may have
 * happened. A heartbeat finds a hung connection within twice the connection's hang limit.
 */
export class SubscriberConnection {
  readonly #listeners = new Map<string, Set<MessageListener>>();
  readonly #gapListeners = new Set<() => void>();
  /** Subscribers that wait for the next connection. */
  readonly #waiting: (() => void)[] = [];
  readonly #link: DedicatedLink;
  readonly #config: RedisConnectionConfig;
  #heartbeat: NodeJS.Timeout | undefined;
  #hadConnection = false;

  constructor(open: () => Redis | null, config: RedisConnectionConfig) {
    this.#config = config;
    this.#link = new DedicatedLink({
      open,
      handshakeMs: config.hangMs,
      onReady: (client) => this.#restore(client),
      onLost: () => clearInterval(this.#heartbeat),
    });
  }

  /**
   * Calls `listener` with each message on `channel` until the returned function is called. Resolves once the server has confirmed; rejects with
   * `RedisUnavailableError` when it does not within the connection's deadline, and then nothing stays subscribed.
   */
  async subscribe(channel: string, listener: MessageListener): Promise<Cancel> {
    const listeners = this.#listeners.get(channel) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(channel, listeners);
    try {
      await this.#confirmed(channel);
    } catch (error) {
      this.#remove(channel, listener);
      throw error;
    }
    return () => this.#remove(channel, listener);
  }

  /** Calls `listener` whenever messages may have been missed: after each reconnection. */
  onGap(listener: () => void): Cancel {
    this.#gapListeners.add(listener);
    return () => void this.#gapListeners.delete(listener);
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#listeners.clear();
    this.#gapListeners.clear();
    await this.#link.close();
  }

  /** Waits for the connection if need be, then for the server's word. */
  async #confirmed(channel: string): Promise<void> {
    const unavailable = (cause?: unknown): RedisUnavailableError =>
      new RedisUnavailableError('not-connected', { connection: this.#config.name, mayHaveRun: true, cause });
    const client = this.#link.client;
    if (client === null) {
      await this.#untilRestored(unavailable);
      return;
    }
    await within(this.#config.deadlineMs, client.subscribe(channel), unavailable);
  }

  /** The next connection subscribes to every channel that has listeners, ours among them. */
  #untilRestored(unavailable: () => Error): Promise<void> {
    const restored = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#link.start();
    return within(this.#config.deadlineMs, restored, unavailable);
  }

  #restore(client: Redis): void {
    client.on('messageBuffer', (channel: Buffer, message: Buffer) => this.#deliver(channel.toString(), message));
    const channels = [...this.#listeners.keys()];
    const subscribed = channels.length === 0 ? Promise.resolve() : client.subscribe(...channels);
    subscribed.then(
      () => this.#announce(),
      () => this.#link.replace(),
    );
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => this.#beat(client), this.#config.hangMs);
    this.#heartbeat.unref();
  }

  #announce(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
    if (this.#hadConnection) for (const listener of this.#gapListeners) listener();
    this.#hadConnection = true;
  }

  #beat(client: Redis): void {
    if (client !== this.#link.client) return;
    within(this.#config.hangMs, client.ping(), () => new Error('no heartbeat')).catch(() => {
      if (client === this.#link.client) this.#link.replace();
    });
  }

  #deliver(channel: string, message: Buffer): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener(message, channel);
  }

  #remove(channel: string, listener: MessageListener): void {
    const listeners = this.#listeners.get(channel);
    if (listeners?.delete(listener) !== true || listeners.size > 0) return;
    this.#listeners.delete(channel);
    this.#link.client?.unsubscribe(channel).catch(() => undefined);
  }
}

function within<T>(ms: number, promise: Promise<T>, late: (cause?: unknown) => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = startDeadline(ms, () => reject(late()));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(late(error));
      },
    );
  });
}

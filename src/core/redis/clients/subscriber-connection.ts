import type { Redis } from 'ioredis';
import { RedisUnavailableError, type UnavailableReason } from '../../errors/redis.errors.js';
import type { Cancel } from '../../time/clock.js';
import { callSafely } from './call-safely.js';
import { DedicatedLink } from './dedicated-link.js';
import { Heartbeat } from './heartbeat.js';
import { ping } from './ping.js';
import { BEAT_MS, SILENCE_MS, type StreamState } from './stream-state.js';
import type { DedicatedTarget } from './dedicated-target.js';
import { startDeadline } from '../lanes/deadline.js';
import type { RedisConnectionConfig } from '../config/redis-config.js';
import { replyCodeOf, toRookeryError } from '../lanes/reply-errors.js';

/** Gets the bytes of a message, and the channel's name. */
export type MessageListener = (message: Buffer, channel: string) => void;

/** One call of `subscribe`: the same function may be given twice, and each is cancelled by itself. */
interface Subscription {
  readonly listener: MessageListener;
}

/** One call of `subscribe` that waits for the server's word. */
interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Channel {
  readonly name: string;
  readonly subscriptions: Set<Subscription>;
  readonly waiters: Set<Waiter>;
}

/**
 * The shared connection for Pub/Sub. Subscriptions outlive it: when it is lost or hangs, it is replaced and every channel is subscribed again.
 *
 * - Pub/Sub keeps nothing for those who are away, so messages sent meanwhile are lost; {@link onGap} tells when that may have
 *   happened.
 * - A heartbeat finds a hung connection within 3 s, or within one and a quarter of the connection's hang limit where that is sooner.
 * - A listener that throws costs nobody else a message; its error is logged.
 */
export class SubscriberConnection {
  readonly #channels = new Map<string, Channel>();
  readonly #gapListeners = new Set<{ readonly listener: () => void }>();
  readonly #stateListeners = new Set<{ readonly listener: (state: StreamState) => void }>();
  readonly #link: DedicatedLink;
  readonly #heartbeat: Heartbeat;
  #state: StreamState = 'lost';
  #hadConnection = false;
  #closed = false;

  constructor(
    private readonly target: DedicatedTarget,
    private readonly config: RedisConnectionConfig,
  ) {
    this.#link = new DedicatedLink({
      target,
      handshakeMs: config.hangMs,
      onReady: (client) => void this.#restore(client),
      onLost: () => this.#lost(),
    });
    this.#heartbeat = new Heartbeat({
      everyMs: Math.min(config.hangMs / 4, BEAT_MS),
      limitMs: Math.min(config.hangMs, SILENCE_MS),
      ask: () => this.#beat(),
      onDoubt: () => this.#doubt(true),
      onProof: () => this.#doubt(false),
      onSilence: () => this.#link.replace(),
    });
  }

  /**
   * Calls `listener` with each message on `channel` until the returned function is called. Resolves once the server has confirmed; rejects with
   * `RedisUnavailableError` when it does not within the connection's deadline, and then nothing stays subscribed.
   */
  async subscribe(channel: string, listener: MessageListener): Promise<Cancel> {
    if (this.#closed) throw this.#unavailable('closing');
    const subscribed = this.#channel(channel);
    const subscription: Subscription = { listener };
    subscribed.subscriptions.add(subscription);
    const cancel = (): void => this.#remove(subscribed, subscription);
    try {
      await this.#confirmation(subscribed);
      return cancel;
    } catch (error) {
      cancel();
      throw error;
    }
  }

  /** Calls `listener` whenever messages may have been missed: after each reconnection, with every channel subscribed again. */
  onGap(listener: () => void): Cancel {
    const entry = { listener };
    this.#gapListeners.add(entry);
    return () => void this.#gapListeners.delete(entry);
  }

  /** Whether messages on the channels reach us. */
  get state(): StreamState {
    return this.#state;
  }

  /** Calls `listener` whenever the state has changed; after a reconnection once the listeners to gaps have been called. */
  onState(listener: (state: StreamState) => void): Cancel {
    const entry = { listener };
    this.#stateListeners.add(entry);
    return () => void this.#stateListeners.delete(entry);
  }

  close(): void {
    this.#closed = true;
    this.#heartbeat.stop();
    this.#link.close();
    for (const { waiters } of this.#channels.values()) {
      for (const waiter of waiters) waiter.reject(this.#unavailable('closing'));
    }
    this.#channels.clear();
    this.#gapListeners.clear();
    this.#stateListeners.clear();
  }

  #channel(name: string): Channel {
    const channel = this.#channels.get(name) ?? { name, subscriptions: new Set(), waiters: new Set() };
    this.#channels.set(name, channel);
    return channel;
  }

  /** The server's word, from this connection or, when that breaks, from the next; within the deadline in any case. */
  #confirmation(channel: Channel): Promise<void> {
    const client = this.#link.client;
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        deadline.cancel();
        channel.waiters.delete(waiter);
        finish();
      };
      const waiter: Waiter = {
        resolve: () => settle(resolve),
        reject: (error) => settle(() => reject(error)),
      };
      const deadline = startDeadline(this.config.deadlineMs, () =>
        waiter.reject(this.#unavailable(this.#link.client === null ? 'not-connected' : 'deadline')),
      );
      channel.waiters.add(waiter);
      if (client === null) this.#link.start();
      else void this.#ask(client, channel);
    });
  }

  /** Subscribes on the wire. Never rejects: when the connection breaks, the next one asks again for every channel. */
  async #ask(client: Redis, channel: Channel): Promise<void> {
    try {
      await client.subscribe(channel.name);
      for (const waiter of channel.waiters) waiter.resolve();
    } catch (error) {
      if (replyCodeOf(error) === null) return;
      for (const waiter of channel.waiters) waiter.reject(toRookeryError(error, this.config.name, 'subscribe'));
    }
  }

  async #restore(client: Redis): Promise<void> {
    client.on('messageBuffer', (channel: Buffer, message: Buffer) => this.#deliver(channel.toString(), message));
    this.#heartbeat.start();
    await Promise.all([...this.#channels.values()].map((channel) => this.#ask(client, channel)));
    if (client !== this.#link.client) return;
    if (this.#hadConnection)
      for (const { listener } of this.#gapListeners) callSafely('A Pub/Sub gap listener', listener);
    this.#hadConnection = true;
    this.#update('live');
  }

  #lost(): void {
    this.#heartbeat.stop();
    this.#update('lost');
  }

  /** Doubts concern a connection on which the channels have been subscribed. */
  #doubt(inDoubt: boolean): void {
    if (this.#state !== 'lost') this.#update(inDoubt ? 'doubtful' : 'live');
  }

  #update(state: StreamState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const { listener } of this.#stateListeners)
      callSafely('A listener to the state of a subscriber', () => listener(state));
  }

  /** A node that has left its cluster answers, and hears nothing any more. */
  #beat(): Promise<void> {
    const { client } = this.#link;
    if (client !== null && !this.target.leadsThere(client)) this.#link.replace();
    return ping(this.#link.client);
  }

  #deliver(name: string, message: Buffer): void {
    for (const { listener } of this.#channels.get(name)?.subscriptions ?? [])
      callSafely('A Pub/Sub listener', () => listener(message, name));
  }

  #remove(channel: Channel, subscription: Subscription): void {
    if (!channel.subscriptions.delete(subscription) || channel.subscriptions.size > 0) return;
    if (this.#channels.get(channel.name) !== channel) return;
    this.#channels.delete(channel.name);
    this.#link.client?.unsubscribe(channel.name).catch(() => undefined);
  }

  #unavailable(reason: UnavailableReason): RedisUnavailableError {
    return new RedisUnavailableError(reason, { connection: this.config.name, mayHaveRun: false });
  }
}

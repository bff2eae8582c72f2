import type { Redis } from 'ioredis';
import { RedisReplyError } from '../../errors/redis.errors.js';
import { DedicatedLink } from '../clients/dedicated-link.js';
import type { DedicatedTarget } from '../clients/dedicated-target.js';
import { Heartbeat } from '../clients/heartbeat.js';
import { ping } from '../clients/ping.js';
import { BEAT_MS, SILENCE_MS, type StreamState } from '../clients/stream-state.js';
import type { RedisConnectionConfig } from '../config/redis-config.js';
import { startDeadline } from '../lanes/deadline.js';
import { toRookeryError } from '../lanes/reply-errors.js';
import type { FeedSink, FeedSource } from './feed-source.js';

/** Where servers tell clients that speak RESP2 of changes. */
const CHANNEL = '__redis__:invalidate';

/** What a link is to hear, and from whom. */
export interface TrackingLinkOptions {
  readonly target: DedicatedTarget;
  readonly config: RedisConnectionConfig;
  readonly prefix: string;
  readonly sink: FeedSink;
  /** Whether the server is a node of a cluster, which has an id. */
  readonly hasId: boolean;
}

/**
 * What one server tells of changes under a prefix, over a connection of its own that is made anew whenever it breaks or falls silent.
 *
 * CLIENT TRACKING in broadcasting mode, so that the server remembers nothing of what we read, redirected to the very connection that asks for it:
 * that is how a RESP2 connection hears by itself. (ioredis drops RESP3's own messages.)
 *
 * Without NOLOOP, so that our own writes come back to us too. It would suppress only what is changed over this very connection, which never writes; and if
 * ever it did: of each key the server remembers for one turn of its loop who changed it first, and so would keep from us what
 * somebody else changed right after us.
 */
export class TrackingLink implements FeedSource {
  readonly #link: DedicatedLink;
  readonly #heartbeat: Heartbeat;
  #state: StreamState = 'lost';
  #nodeId: string | null = null;
  #closed = false;

  constructor(private readonly options: TrackingLinkOptions) {
    this.#link = new DedicatedLink({
      target: options.target,
      handshakeMs: options.config.hangMs,
      onReady: (client) => void this.#setUp(client),
      onLost: () => this.#lost(),
    });
    this.#heartbeat = new Heartbeat({
      everyMs: BEAT_MS,
      limitMs: SILENCE_MS,
      ask: () => ping(this.#link.client),
      onDoubt: () => this.#update('doubtful'),
      onProof: () => this.#update('live'),
      onSilence: () => this.#link.replace(),
    });
    this.#link.start();
  }

  get state(): StreamState {
    return this.#state;
  }

  /** Which node of a cluster tells us, as long as it does. */
  get nodeId(): string | null {
    return this.#nodeId;
  }

  close(): void {
    this.#closed = true;
    this.#heartbeat.stop();
    this.#link.close();
  }

  async #setUp(client: Redis): Promise<void> {
    const deadline = startDeadline(SILENCE_MS, () => this.#replace(client));
    try {
      const nodeId = this.options.hasId ? String(await client.call('cluster', 'myid')) : null;
      await this.#track(client);
      if (client !== this.#link.client) return;
      this.#nodeId = nodeId;
      this.#heartbeat.start();
      this.#update('live');
    } catch (error) {
      this.#failed(client, error);
    } finally {
      deadline.cancel();
    }
  }

  /** The order is the server's: a subscriber may not turn tracking on. What changes between the two is not told, and nobody counts on it yet. */
  async #track(client: Redis): Promise<void> {
    const id = await client.client('ID');
    client.on('messageBuffer', (_channel: Buffer, keys: unknown) => this.#deliver(keys));
    await client.call('client', 'tracking', 'on', 'redirect', id, 'bcast', 'prefix', this.options.prefix);
    await client.subscribe(CHANNEL);
  }

  /** A list of keys; null after FLUSHALL and FLUSHDB. */
  #deliver(keys: unknown): void {
    if (this.#closed) return;
    if (Array.isArray(keys)) this.options.sink.changed(keys.map(String));
    else this.options.sink.missed();
  }

  #failed(client: Redis, cause: unknown): void {
    if (this.#closed) return;
    const error = toRookeryError(cause, this.options.config.name, 'CLIENT TRACKING');
    if (error instanceof RedisReplyError) this.options.sink.refused(error);
    else this.#replace(client);
  }

  #replace(client: Redis): void {
    if (client === this.#link.client) this.#link.replace();
  }

  #lost(): void {
    this.#heartbeat.stop();
    this.#nodeId = null;
    this.#update('lost');
  }

  #update(state: StreamState): void {
    if (this.#closed || state === this.#state) return;
    this.#state = state;
    this.options.sink.update(state);
  }
}

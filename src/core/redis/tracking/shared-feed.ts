import { Logger } from '@nestjs/common';
import type { RedisReplyError } from '../../errors/redis.errors.js';
import type { Cancel } from '../../time/clock.js';
import { callSafely } from '../clients/call-safely.js';
import type { StreamState } from '../clients/stream-state.js';
import type { FeedKind } from './change-feed.js';
import type { FeedSink, FeedSource } from './feed-source.js';

/** How a feed is made. */
export interface SharedFeedOptions {
  /** The connection's name, for the log. */
  readonly connection: string;
  readonly open: (kind: FeedKind, sink: FeedSink) => FeedSource;
}

/** One use of a listener: the same function may be given twice, and each is cancelled by itself. */
interface Listener<Arguments extends unknown[]> {
  readonly call: (...args: Arguments) => void;
}

/**
 * The feed of one prefix, whoever uses it: begins with what the server tells by itself, and goes over to the bus when the server will
 * not. It stays there: a feed that changed its mind would hear nothing of those who announce while it is told by the server.
 */
export class SharedFeed implements FeedSink {
  readonly #logger = new Logger('RedisModule');
  readonly #changeListeners = new Set<Listener<[key: string]>>();
  readonly #epochListeners = new Set<Listener<[]>>();
  #source: FeedSource;
  #kind: FeedKind = 'tracking';
  #hasBeenLive = false;
  #state: StreamState = 'lost';
  #epoch = 0;
  #closed = false;

  constructor(private readonly options: SharedFeedOptions) {
    this.#source = options.open('tracking', this);
  }

  get kind(): FeedKind {
    return this.#kind;
  }

  /** Whether the server is known to tell by itself, so that nothing needs to be announced. */
  get isTold(): boolean {
    return this.#kind === 'tracking' && this.#hasBeenLive;
  }

  get live(): boolean {
    return this.#state === 'live';
  }

  get epoch(): number {
    return this.#epoch;
  }

  get closed(): boolean {
    return this.#closed;
  }

  onChange(call: (key: string) => void): Cancel {
    return listen(this.#changeListeners, { call });
  }

  onEpoch(call: () => void): Cancel {
    return listen(this.#epochListeners, { call });
  }

  close(): void {
    if (this.#closed) return;
    this.update('lost');
    this.#closed = true;
    this.#source.close();
    this.#changeListeners.clear();
    this.#epochListeners.clear();
  }

  changed(keys: readonly string[]): void {
    for (const { call } of this.#changeListeners) {
      for (const key of keys) callSafely('A listener to changes in Redis', () => call(key));
    }
  }

  missed(): void {
    this.#epoch += 1;
    this.#tell();
  }

  update(state: StreamState): void {
    if (this.#closed || state === this.#state) return;
    // Once when it begins and once when it ends: what was read from Redis in between may have changed before we could hear of it.
    if (state === 'lost' || this.#state === 'lost') this.#epoch += 1;
    this.#state = state;
    this.#hasBeenLive ||= this.live;
    this.#tell();
  }

  refused({ replyCode }: RedisReplyError): void {
    const connection = `Redis connection '${this.options.connection}'`;
    this.#source.close();
    this.update('lost');
    if (this.#kind === 'bus') {
      this.#logger.warn(`${connection}: changes cannot be announced either (${replyCode}), so that none is heard of.`);
      return;
    }
    this.#kind = 'bus';
    this.#logger.warn(
      `${connection}: the server does not tell of changes (CLIENT TRACKING: ${replyCode}). They are announced by Pub/Sub instead; those that others than Rookery make are not seen.`,
    );
    this.#source = this.options.open('bus', this);
  }

  #tell(): void {
    for (const { call } of this.#epochListeners) callSafely('A listener to gaps among the changes in Redis', call);
  }
}

function listen<Arguments extends unknown[]>(to: Set<Listener<Arguments>>, listener: Listener<Arguments>): Cancel {
  to.add(listener);
  return () => void to.delete(listener);
}

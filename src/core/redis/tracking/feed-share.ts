import { RedisUnavailableError } from '../../errors/redis.errors.js';
import { systemClock, type Cancel } from '../../time/clock.js';
import { durationMs, type Duration } from '../../time/duration.js';
import { waitUntil } from '../wait-until.js';
import type { ChangeFeed, FeedKind } from './change-feed.js';
import type { SharedFeed } from './shared-feed.js';

/** What a share needs beside the feed. */
export interface FeedShareOptions {
  /** The connection's name, for errors. */
  readonly connection: string;
  readonly publish: (keys: readonly string[]) => Promise<void>;
  readonly onClose: () => void;
}

/** One user's view of a feed that others may use too. */
export class FeedShare implements ChangeFeed {
  readonly #cancels = new Set<Cancel>();
  #closed = false;

  constructor(
    private readonly feed: SharedFeed,
    private readonly options: FeedShareOptions,
  ) {}

  get kind(): FeedKind {
    return this.feed.kind;
  }

  get live(): boolean {
    return this.feed.live && !this.#closed;
  }

  get epoch(): number {
    return this.feed.epoch;
  }

  onChange(listener: (key: string) => void): Cancel {
    return this.#owned(this.feed.onChange(listener));
  }

  onEpoch(listener: () => void): Cancel {
    return this.#owned(this.feed.onEpoch(listener));
  }

  async announce(keys: readonly string[]): Promise<void> {
    if (keys.length > 0 && !this.feed.isTold) await this.options.publish(keys);
  }

  untilLive({
    within = '5s',
    signal,
  }: { readonly within?: Duration; readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#closed || this.feed.closed) return Promise.reject(this.#unavailable('closing'));
    return waitUntil({
      isMet: () => this.live,
      onChange: (listener) => this.onEpoch(listener),
      withinMs: durationMs(within),
      signal,
      clock: systemClock,
      timedOut: () => this.#unavailable(this.feed.closed ? 'closing' : 'not-connected'),
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const cancel of this.#cancels) cancel();
    this.options.onClose();
  }

  #owned(cancel: Cancel): Cancel {
    const owned = (): void => {
      this.#cancels.delete(owned);
      cancel();
    };
    if (this.#closed) cancel();
    else this.#cancels.add(owned);
    return owned;
  }

  #unavailable(reason: 'closing' | 'not-connected'): RedisUnavailableError {
    return new RedisUnavailableError(reason, { connection: this.options.connection, mayHaveRun: false });
  }
}

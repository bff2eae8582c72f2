import { RedisReplyError } from '../../errors/redis.errors.js';
import type { Cancel } from '../../time/clock.js';
import { reconnectDelayMs } from '../clients/reconnect-delay.js';
import type { SubscriberConnection } from '../clients/subscriber-connection.js';
import type { FeedSink, FeedSource } from './feed-source.js';

/** The channel on which changes under a prefix are announced. */
export function busChannel(prefix: string): string {
  return `${prefix}changes`;
}

/** One announcement: a JSON array of keys. */
export function encodeAnnouncement(keys: readonly string[]): string {
  return JSON.stringify(keys);
}

/** Hears the changes that the processes of the application announce to each other, where the server does not tell by itself. */
export class ChangeBus implements FeedSource {
  readonly #stopWatching: Cancel;
  #unsubscribe: Cancel | undefined;
  #retry: NodeJS.Timeout | undefined;
  #attempt = 0;
  #closed = false;

  constructor(
    private readonly subscriber: SubscriberConnection,
    private readonly prefix: string,
    private readonly sink: FeedSink,
  ) {
    this.#stopWatching = subscriber.onState((state) => {
      if (this.#unsubscribe !== undefined) this.sink.update(state);
    });
    void this.#subscribe();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#stopWatching();
    this.#unsubscribe?.();
  }

  async #subscribe(): Promise<void> {
    try {
      const unsubscribe = await this.subscriber.subscribe(busChannel(this.prefix), (message) => this.#deliver(message));
      if (this.#closed) {
        unsubscribe();
        return;
      }
      this.#unsubscribe = unsubscribe;
      this.sink.update(this.subscriber.state);
    } catch (error) {
      if (this.#closed) return;
      if (error instanceof RedisReplyError) this.sink.refused(error);
      else this.#later();
    }
  }

  #later(): void {
    this.#attempt += 1;
    this.#retry = setTimeout(() => void this.#subscribe(), reconnectDelayMs(this.#attempt)).unref();
  }

  #deliver(message: Buffer): void {
    const keys = decodeAnnouncement(message);
    // Whoever wrote what we cannot read may have changed anything.
    if (keys === null) this.sink.missed();
    else this.sink.changed(keys);
  }
}

function decodeAnnouncement(message: Buffer): string[] | null {
  try {
    const keys: unknown = JSON.parse(message.toString());
    return Array.isArray(keys) && keys.every((key) => typeof key === 'string') ? keys : null;
  } catch {
    return null;
  }
}

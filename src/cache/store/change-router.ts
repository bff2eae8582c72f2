import type { ChangeFeed } from '../../core/redis/tracking/change-feed.js';

/** Takes the word of changes to the cache that they concern: all caches of a connection share one feed. */
export class ChangeRouter {
  readonly #caches = new Map<string, (key: string) => void>();

  /** `prefix` is what the feed's keys begin with; a cache's own prefix adds one segment to it. */
  constructor(
    readonly feed: ChangeFeed,
    private readonly prefix: string,
  ) {
    feed.onChange((key) => this.#route(key));
  }

  /** Calls `changed` with every key under `cachePrefix` that changes. */
  add(cachePrefix: string, changed: (key: string) => void): void {
    this.#caches.set(cachePrefix, changed);
  }

  #route(key: string): void {
    const end = key.indexOf(':', this.prefix.length);
    this.#caches.get(key.slice(0, end + 1))?.(key);
  }
}

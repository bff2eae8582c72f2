import { Logger } from '@nestjs/common';
import type { Cancel } from '../core/time/clock.js';

/**
 * What happens in a cache. `key` is the entry's key in Redis, which holds what the caller's key holds: personal data, perhaps. Nothing of this is logged or
 * exported by Rookery.
 */
export type CacheEvent =
  | { readonly type: 'hit'; readonly key: string; readonly tier: 'memory' | 'store'; readonly stale: boolean }
  | { readonly type: 'miss'; readonly key: string }
  | { readonly type: 'load'; readonly key: string; readonly durationMs: number }
  | { readonly type: 'load-failed'; readonly key: string; readonly durationMs: number; readonly error: unknown }
  /** Written by `set` and its like. */
  | { readonly type: 'write'; readonly key: string }
  /** A loaded value was stored, or was not, since its key or a tag was invalidated or written meanwhile. */
  | { readonly type: 'stored' | 'overtaken'; readonly key: string }
  | { readonly type: 'delete'; readonly key: string }
  /** `keys` are those of the tags or segments. */
  | { readonly type: 'invalidate'; readonly keys: readonly string[] }
  /** All copies in memory were dropped. */
  | { readonly type: 'memory-flushed' };

/** Gets each event as it happens. It must not throw or reject; what it throws is logged, and costs nobody else the event. */
export type CacheEventListener = (event: CacheEvent) => unknown;

/** Tells listeners what happens. Without any, an event costs a comparison. */
export class CacheEvents {
  readonly #listeners = new Set<{ readonly listener: CacheEventListener }>();
  readonly #logger = new Logger('CacheModule');

  /** Whether anybody listens: ask before an event is made on a hot path. */
  get isHeard(): boolean {
    return this.#listeners.size > 0;
  }

  on(listener: CacheEventListener): Cancel {
    const entry = { listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  emit(event: CacheEvent): void {
    for (const { listener } of this.#listeners) {
      try {
        const returned = listener(event);
        if (returned instanceof Promise) returned.catch(this.#logFailure);
      } catch (error) {
        this.#logFailure(error);
      }
    }
  }

  readonly #logFailure = (error: unknown): void => {
    this.#logger.error(`A listener to cache events failed: ${error instanceof Error ? error.name : typeof error}.`);
  };
}

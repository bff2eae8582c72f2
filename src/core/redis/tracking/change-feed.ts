import type { Cancel } from '../../time/clock.js';
import type { Duration } from '../../time/duration.js';

/**
 * How changes reach us.
 * - `tracking`: the server itself tells of every change, whoever made it.
 * - `bus`: it would not, so only what somebody has announced is heard.
 */
export type FeedKind = 'tracking' | 'bus';

/**
 * Tells this process which keys under a prefix have changed: written, deleted, expired or evicted, by anybody, this process included.
 *
 * Copies kept in this process are right as long as their holder drops a key in `onChange`, drops all in `onEpoch` when `epoch` grew, uses none
 * while `live` is false, and keeps nothing that it began to read under another `epoch` than the present one.
 */
export interface ChangeFeed {
  readonly kind: FeedKind;
  /**
   * True only while every change reaches us; on a cluster from every primary that owns slots. A connection that was cut is noticed at once, one that
   * fell silent, and a slot that went to a new primary, within 3 s.
   */
  readonly live: boolean;
  /** Grows whenever changes may have been missed, and once more before `live` is true again. */
  readonly epoch: number;
  /** Calls `listener` for each key that changed, until the returned function is called. A key may be told of more often than it changed. */
  onChange(listener: (key: string) => void): Cancel;
  /** Calls `listener` whenever `epoch` grew or `live` changed. */
  onEpoch(listener: () => void): Cancel;
  /**
   * Tells the feeds of all processes, this one included, of keys that this process has changed. One PUBLISH on the bus; nothing where the
   * server tells by itself. Rejects with `RedisUnavailableError` when the others may not have been told.
   */
  announce(keys: readonly string[]): Promise<void>;
  /** Resolves when the feed is live. Rejects with `RedisUnavailableError` once `within` (default `'5s'`) has passed, or with the signal's reason. */
  untilLive(options?: { readonly within?: Duration; readonly signal?: AbortSignal }): Promise<void>;
  /** Gives up this user's share; its listeners hear no more. The connections end with the last user. */
  close(): void;
}

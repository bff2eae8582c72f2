import type { RedisReplyError } from '../../errors/redis.errors.js';
import type { StreamState } from '../clients/stream-state.js';

/** Where a feed gets its changes from. */
export interface FeedSource {
  close(): void;
}

/** Who is told of them. */
export interface FeedSink {
  changed(keys: readonly string[]): void;
  /** Changes were missed, or too many to be told one by one. */
  missed(): void;
  update(state: StreamState): void;
  /** The server will not have it, now or later. */
  refused(error: RedisReplyError): void;
}

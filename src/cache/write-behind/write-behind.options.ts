import type { Duration } from '../../core/time/duration.js';
import type { WriteBehindKey } from './write-behind-key.js';

/** One key with what is to be written to the source: in mode `'add'` how much to add. */
export interface WriteBehindEntry<Value, Key extends WriteBehindKey = string | number> {
  readonly key: Key;
  readonly value: Value;
}

/** What a flush knows of its batch besides the entries. */
export interface FlushContext {
  /**
   * Names the batch: the same on every attempt, by whatever process, and given to no other batch. A source that stores it in the transaction that
   * takes the entries, and skips a batch whose id it has, takes every batch exactly once; for batches that come entry by entry, see `partOf`.
   */
  readonly batchId: string;
  /**
   * When a batch that failed too often is flushed entry by entry: the id of the whole.
   *
   * An attempt at the whole may have been taken although it looked like a failure; it may also be under way still, unseen, and be taken later, when
   * it was given up and did not stop. For each batch to be taken exactly once, attempts at the whole and at its parts therefore take one lock, on
   * `partOf ?? batchId`, for as long as their transaction lasts, and look after that: a part skips when the source has the whole's id, or its own; the whole
   * skips when the source has its id, and rejects when the source has any of its parts.
   */
  readonly partOf: string | undefined;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** Aborted when the flush is given up; its reason is a `FlushAbortedError`. What runs on in spite of it runs beside the next attempt. */
  readonly signal: AbortSignal;
}

/**
 * Takes a batch into the source: all of it, or it rejects. A batch holds no key twice, in no particular order. It is called again with the same
 * batch after a failure, a timeout, or a crash, so it has to be idempotent, by its nature or by `batchId`.
 */
export type Flush<Value, Key extends WriteBehindKey = string | number> = (
  batch: readonly WriteBehindEntry<Value, Key>[],
  context: FlushContext,
) => Promise<unknown>;

/** Options of `CacheModule.forWriteBehind`. */
export interface WriteBehindOptions<Value, Key extends WriteBehindKey = string | number> {
  /** How a batch gets into the source. */
  readonly flush: Flush<Value, Key>;
  /** The pause between two rounds of flushing; writes of a key that come together are one entry. Default `'1s'`. */
  readonly interval?: Duration;
  /** The most entries of a batch, 1 to 2,000. Default 500. */
  readonly batchSize?: number;
  /** The most entries in the journal: waiting, in flight, or dead. Beyond them writes of new keys are refused. Default 100,000. */
  readonly maxPending?: number;
  /** How often a batch is tried as a whole; then it is tried entry by entry. Default 10. */
  readonly maxAttempts?: number;
  /** How long one call of `flush` may take. Default `'30s'`. */
  readonly flushTimeout?: Duration;
  /** How long after a process died another one takes its batch over. Renewed while a flush runs. Default `'15s'`. */
  readonly lease?: Duration;
  /** The pause after a batch's first failure; it doubles with each further one, and is shortened by up to half at random. Default `'1s'`. */
  readonly retryDelay?: Duration;
  /** The longest of these pauses. Default `'1m'`. */
  readonly maxRetryDelay?: Duration;
  /** How long the application's shutdown waits while what is waiting is flushed. Default `'10s'`. */
  readonly drainTimeout?: Duration;
  /** How long the `id` of a write is remembered. Default `'10m'`. */
  readonly idWindow?: Duration;
  /** How long a write waits for Redis. Default: the connection's `deadline`. */
  readonly redisDeadline?: Duration;
  /** Name of the Redis connection. Default: the cache module's, or else the default one. */
  readonly connection?: string;
  /**
   * `'memory'` keeps the journal in the process: the same behaviour without Redis, but what is not flushed is lost when the process is killed, and
   * each process has a journal of its own. Default: as the cache module.
   */
  readonly store?: 'redis' | 'memory';
}

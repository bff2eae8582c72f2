import { RedisUnavailableError } from '../../../core/errors/redis.errors.js';
import type { Clock } from '../../../core/time/clock.js';
import type { ClaimedBatch, Journal, Refusal } from '../journal/journal.js';
import type { ValueFormat } from '../value-format.js';
import type { WriteBehindConfig } from '../write-behind-config.js';
import type { WriteBehindCounters } from '../write-behind-counters.js';
import type { WriteBehindKey } from '../write-behind-key.js';
import { FlushAbortedError, WriteBehindModeError } from '../write-behind.errors.js';
import { BatchFlush } from './batch-flush.js';
import { Lease } from './lease.js';
import { errorName, type QuietLog } from './quiet-log.js';

const SETTLE_AGAIN_MS = 200;

/** Brings claimed batches to the source, and their outcome to the journal. */
export class Delivery<Value, Key extends WriteBehindKey> {
  constructor(
    private readonly config: WriteBehindConfig<Value, Key>,
    private readonly format: ValueFormat<Value>,
    private readonly journal: Journal,
    private readonly clock: Clock,
    private readonly counters: WriteBehindCounters,
    private readonly log: QuietLog,
  ) {}

  /**
   * How many entries the source took; null when it is to be tried again. Never rejects.
   *
   * @param claimedMs when the claim was sent, by the monotonic clock
   */
  async deliver(batch: ClaimedBatch, claimedMs: number, halt: AbortSignal): Promise<number | null> {
    const holding = new AbortController();
    const onHalt = (): void => holding.abort(new FlushAbortedError('shutdown'));
    halt.addEventListener('abort', onHalt);
    if (halt.aborted) onHalt();
    const onLost = (): void => holding.abort(new FlushAbortedError('lease-lost'));
    const { leaseMs } = this.config;
    const lease = new Lease(this.journal, batch, { leaseMs, claimedMs, clock: this.clock, onLost });
    try {
      const refused = await this.#flush(batch, holding.signal);
      // Once it is settled, a renewal finds no owner, and would be told that the batch is somebody else's.
      lease.stopRenewing();
      return refused !== null && (await this.#settle(batch, refused, holding.signal))
        ? batch.entries.length - refused.length
        : null;
    } finally {
      lease.release();
      halt.removeEventListener('abort', onHalt);
    }
  }

  /** The entries to give up; null when the batch is to be tried again. */
  async #flush(batch: ClaimedBatch, signal: AbortSignal): Promise<readonly Refusal[] | null> {
    try {
      return await new BatchFlush(this.config, this.format, batch, this.clock, signal).run();
    } catch (error) {
      this.counters.flushFailures += 1;
      await this.#postpone(batch, error);
      return null;
    }
  }

  async #postpone(batch: ClaimedBatch, error: unknown): Promise<void> {
    const pauseMs = this.#pauseMs(batch.attempt);
    const { entries, attempt } = batch;
    const tried = `attempt ${attempt} at a batch of ${entries.length} failed with ${errorName(error)}`;
    this.log.warn('failed', `${tried}; again in ${pauseMs} ms.`);
    this.#explain(error);
    // When Redis cannot be told, the lease runs out instead.
    const told = await this.journal.postpone(batch, pauseMs).catch(() => true);
    if (!told) this.counters.leasesLost += 1;
  }

  /** Goes on until Redis has been told: a batch that the source has taken should not be flushed again. */
  async #settle(batch: ClaimedBatch, refused: readonly Refusal[], signal: AbortSignal): Promise<boolean> {
    // After a try whose reply was lost: that the batch has no owner any more is the doing of that try.
    let mayBeSettled = false;
    for (;;) {
      try {
        const settled = (await this.journal.settle(batch, refused)) || mayBeSettled;
        this.#count(batch, refused, settled);
        return settled;
      } catch (error) {
        if (!(error instanceof RedisUnavailableError) || signal.aborted) {
          this.log.warn('settle', `a batch could not be settled: ${errorName(error)}. It will be flushed again.`);
          this.#explain(error);
          return false;
        }
        mayBeSettled ||= error.mayHaveRun;
      }
      await new Promise<void>((resolve) => this.clock.setTimeout(resolve, SETTLE_AGAIN_MS));
    }
  }

  #count({ entries }: ClaimedBatch, refused: readonly Refusal[], settled: boolean): void {
    if (!settled) {
      this.counters.leasesLost += 1;
      return;
    }
    const accepted = entries.length - refused.length;
    if (accepted > 0) this.counters.batchesFlushed += 1;
    this.counters.entriesFlushed += accepted;
    this.counters.entriesDead += refused.length;
    if (refused.length > 0) this.log.warn('dead', `${refused.length} entries became dead letters.`);
  }

  /** Only this error is known to quote nothing, and to say what somebody has to do. */
  #explain(error: unknown): void {
    if (error instanceof WriteBehindModeError) this.log.warn('mode', error.message);
  }

  /** Doubles with each attempt, and is shortened by up to half, so that batches which failed together do not come back together. */
  #pauseMs(attempt: number): number {
    const { retryDelayMs, maxRetryDelayMs } = this.config;
    const fullMs = Math.min(maxRetryDelayMs, retryDelayMs * 2 ** Math.min(attempt - 1, 30));
    return Math.max(1, Math.round(fullMs * (1 - Math.random() / 2)));
  }
}

import { RedisUnavailableError } from '../../../core/errors/redis.errors.js';
import type { Cancel, Clock } from '../../../core/time/clock.js';
import type { ClaimedBatch, Journal } from '../journal/journal.js';
import type { WriteBehindCounters } from '../write-behind-counters.js';
import type { Delivery } from './delivery.js';
import { errorName, type QuietLog } from './quiet-log.js';

/** What the loop has to know. */
export interface FlusherConfig {
  readonly intervalMs: number;
  readonly batchSize: number;
  readonly drainTimeoutMs: number;
}

/**
 * When a round ends, besides when there is nothing to claim:
 * - `interval`: when all that waited was claimed, so that later writes have an interval to come together; or when the source refuses a new batch, since it would
 *   refuse the next one too;
 * - `now`: when all that waited was claimed;
 * - `drain`: not before.
 */
type Round = 'interval' | 'now' | 'drain';

/** Flushes a journal: one batch after the other, in rounds, one round after the other. Other processes flush beside it. */
export class Flusher {
  readonly #halt = new AbortController();
  #tail: Promise<unknown> = Promise.resolve();
  #timer: Cancel | undefined;
  #stopped = false;

  constructor(
    private readonly config: FlusherConfig,
    private readonly journal: Journal,
    private readonly delivery: Pick<Delivery<never, never>, 'deliver'>,
    private readonly clock: Clock,
    private readonly counters: WriteBehindCounters,
    private readonly log: QuietLog,
  ) {}

  /** Flushes every `interval` from now on. */
  start(): void {
    if (this.#stopped) return;
    this.#timer = this.clock.setTimeout(() => {
      void this.#enqueue('interval')
        .catch((error: unknown) => this.#note(error))
        .finally(() => this.start());
    }, this.config.intervalMs);
  }

  /** Flushes what waits. Resolves with the number of entries that the source took; rejects when Redis is away. */
  flushNow(): Promise<number> {
    return this.#enqueue('now');
  }

  /** Flushes no more by itself, but all that can be claimed once more, for no longer than `drainTimeout`. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.();
    const cancel = this.clock.setTimeout(() => this.#halt.abort(), this.config.drainTimeoutMs);
    await this.#enqueue('drain').catch((error: unknown) => this.#note(error));
    cancel();
  }

  #enqueue(round: Round): Promise<number> {
    const run = this.#tail.then(() => this.#round(round));
    this.#tail = run.catch(() => undefined);
    return run;
  }

  async #round(round: Round): Promise<number> {
    let taken = 0;
    while (!this.#halt.signal.aborted && !(round === 'interval' && this.#stopped)) {
      const claimedMs = this.clock.monotonicMs();
      const batch = await this.journal.claim();
      if (batch === null) break;
      const accepted = await this.delivery.deliver(batch, claimedMs, this.#halt.signal);
      taken += accepted ?? 0;
      if (this.#isLast(round, batch, accepted !== null)) break;
    }
    return taken;
  }

  #isLast(round: Round, { attempt, entries }: ClaimedBatch, accepted: boolean): boolean {
    if (round === 'drain' || attempt > 1) return false;
    return entries.length < this.config.batchSize || (round === 'interval' && !accepted);
  }

  #note(error: unknown): void {
    if (error instanceof RedisUnavailableError) this.counters.roundsWithoutRedis += 1;
    else this.log.warn('claim', `nothing can be claimed: ${errorName(error)}.`);
  }
}

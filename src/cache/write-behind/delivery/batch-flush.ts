import type { Clock } from '../../../core/time/clock.js';
import { decodeField, type WriteBehindKey } from '../write-behind-key.js';
import type { ClaimedBatch, JournalEntry, Refusal } from '../journal/journal.js';
import type { ValueFormat } from '../value-format.js';
import type { WriteBehindConfig } from '../write-behind-config.js';
import type { FlushContext, WriteBehindEntry } from '../write-behind.options.js';
import { WriteBehindModeError } from '../write-behind.errors.js';
import { errorName } from './quiet-log.js';
import { withDeadline } from './with-deadline.js';

/** So many refusals in a row, and nothing accepted: that is rather the source than the entries. */
const REFUSALS_OF_A_SOURCE_THAT_IS_AWAY = 10;

/** An entry as `flush` gets it, with its place in the batch. */
interface Readable<Value, Key extends WriteBehindKey> {
  readonly field: string;
  readonly place: number;
  readonly entry: WriteBehindEntry<Value, Key>;
}

/** One attempt at one batch: whole, or entry by entry. */
export class BatchFlush<Value, Key extends WriteBehindKey> {
  readonly #readable: Readable<Value, Key>[] = [];
  readonly #unreadable: Refusal[] = [];

  constructor(
    private readonly config: WriteBehindConfig<Value, Key>,
    format: ValueFormat<Value>,
    private readonly batch: ClaimedBatch,
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
  ) {
    batch.entries.forEach((entry, place) => this.#read(entry, place, format));
  }

  /** Resolves with the entries that are to become dead letters; rejects when the batch is to be tried again. */
  async run(): Promise<readonly Refusal[]> {
    // Refused here, since it cannot be buried either: the dead letters of a key are summed too.
    if (this.#unreadable.length > 0 && this.config.mode === 'add') throw new WriteBehindModeError(this.config.name);
    if (this.#readable.length === 0) return this.#unreadable;
    if (this.batch.attempt > this.config.maxAttempts) return [...this.#unreadable, ...(await this.#oneByOne())];
    const entries = this.#readable.map(({ entry }) => entry);
    await this.#call(entries, { batchId: this.batch.id, partOf: undefined });
    return this.#unreadable;
  }

  #read({ field, value }: JournalEntry, place: number, format: ValueFormat<Value>): void {
    try {
      this.#readable.push({ field, place, entry: { key: decodeField(field) as Key, value: format.decode(value) } });
    } catch (error) {
      this.#unreadable.push({ field, reason: errorName(error) });
    }
  }

  /**
   * Finds the entries that the source will not take. It begins anywhere, so that a batch which begins with many of them is not given up every time.
   *
   * A source that accepts nothing here is away, and then it is no time to give entries up. That it accepted something a moment ago says little: it may
   * have gone away since. But when it took others after `2 * maxAttempts` failures of this batch, of which no more than `maxAttempts` can have been
   * those of the whole, then it has refused these entries one by one, and taken others in between, at least `maxAttempts` times.
   */
  async #oneByOne(): Promise<readonly Refusal[]> {
    const refused: Refusal[] = [];
    const count = this.#readable.length;
    const start = Math.floor(Math.random() * count);
    let accepting = this.batch.overtaken >= 2 * this.config.maxAttempts;
    for (let i = 0; i < count; i++) {
      const { field, place, entry } = this.#readable[(start + i) % count] as Readable<Value, Key>;
      try {
        await this.#call([entry], { batchId: `${this.batch.id}/${place}`, partOf: this.batch.id });
        accepting = true;
      } catch (error) {
        this.signal.throwIfAborted();
        refused.push({ field, reason: errorName(error) });
        const last = i === count - 1 || refused.length === REFUSALS_OF_A_SOURCE_THAT_IS_AWAY;
        if (!accepting && last) throw error;
      }
    }
    return refused;
  }

  #call(
    entries: readonly WriteBehindEntry<Value, Key>[],
    ids: Pick<FlushContext, 'batchId' | 'partOf'>,
  ): Promise<unknown> {
    const { flush, flushTimeoutMs: ms } = this.config;
    const { attempt } = this.batch;
    return withDeadline(async (signal) => flush(entries, { ...ids, attempt, signal }), {
      ms,
      clock: this.clock,
      parent: this.signal,
    });
  }
}

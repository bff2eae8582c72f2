import type { Flusher } from './delivery/flusher.js';
import type { BuriedEntry, Journal, JournalOutcome, WriteBehindSize } from './journal/journal.js';
import type { ValueFormat } from './value-format.js';
import type { WriteBehindConfig } from './write-behind-config.js';
import type { WriteBehindCounters } from './write-behind-counters.js';
import { decodeField, encodeField, type WriteBehindKey } from './write-behind-key.js';
import { WriteBehindFullError, WriteBehindOverflowError } from './write-behind.errors.js';

/** Dead letters that are moved in one go. */
const PAGE = 500;

/** Dead letters that are listed in one go: more would hold the server up. */
const MOST_LISTED = 10_000;

/** An entry that the source refused for good. */
export interface DeadLetter<Value, Key extends WriteBehindKey = string | number> {
  readonly key: Key;
  /** Undefined when it cannot be decoded: then the reason is `DecodeError`. */
  readonly value: Value | undefined;
  /** The name of the error that the source refused it with. */
  readonly reason: string;
  readonly since: Date;
}

/** How one write is made. */
export interface WriteOptions {
  /**
   * Names this write among those of its key: a call that repeats it within `idWindow` changes nothing. For when a write failed with
   * `mayHaveRun`, and adding twice would count twice. The ids of the last `maxPending` writes are known.
   */
  readonly id?: string;
}

/**
 * A journal of writes in front of a slow source.
 *
 * - A write that was acknowledged is in the journal, and stays there until the source has taken it, or has refused it for good; then it is a dead letter.
 * - The source gets each batch at least once, and exactly once if it stores the batch's id.
 * - The writes of one key reach it in their order; those that wait together, as one.
 *
 * In Redis, the journal is as durable as Redis: see the page on write-behind. Inject it with `@InjectWriteBehind(definition)`.
 */
export class WriteBehind<Value, Key extends WriteBehindKey = string | number> {
  constructor(
    private readonly config: WriteBehindConfig<Value, Key>,
    private readonly format: ValueFormat<Value>,
    private readonly journal: Journal,
    private readonly flusher: Flusher,
    readonly counters: WriteBehindCounters,
  ) {}

  /**
   * Resolves once the journal holds the write. One round trip.
   *
   * Rejects with `RedisUnavailableError` when it could not be journalled, or when nobody knows (`mayHaveRun`); with `WriteBehindFullError` and
   * `WriteBehindOverflowError`, which wrote nothing; with `EncodeError` and `KeyEncodingError`, which sent nothing.
   */
  async write(key: Key, value: Value, { id }: WriteOptions = {}): Promise<void> {
    const field = encodeField(key);
    const bytes = this.format.encode(value);
    let outcome: JournalOutcome;
    try {
      outcome = await this.journal.write(field, bytes, id);
    } catch (error) {
      this.counters.writesFailed += 1;
      throw error;
    }
    this.#check(outcome);
  }

  /**
   * What the journal holds of a key, dead letters apart: how much is to be added, or the value that will be written; undefined for nothing. One round trip.
   *
   * Add it to what the source says, to read what you wrote. Between the moment in which the source takes a batch and the one in which the journal
   * knows, both have it.
   */
  async pending(key: Key): Promise<Value | undefined> {
    const [inFlight, waiting] = await this.journal.pending(encodeField(key));
    if (waiting === null) return inFlight === null ? undefined : this.format.decode(inFlight);
    const later = this.format.decode(waiting);
    return inFlight === null ? later : this.format.merge(this.format.decode(inFlight), later);
  }

  /** How many entries the journal holds. One round trip. */
  size(): Promise<WriteBehindSize> {
    return this.journal.size();
  }

  /**
   * Flushes what waits, without the pause. Resolves with the number of entries that the source took; what it did not take is tried again later, as ever.
   * Rejects with `RedisUnavailableError`.
   */
  flushNow(): Promise<number> {
    return this.flusher.flushNow();
  }

  /**
   * A page of dead letters, oldest first. One round trip.
   *
   * `offset` is how many to pass over, from 0, default 0; `limit` is the most to list, 1 to 10,000, default 100. Rejects with `RangeError`.
   */
  async deadLetters({ offset = 0, limit = 100 }: { readonly offset?: number; readonly limit?: number } = {}): Promise<
    DeadLetter<Value, Key>[]
  > {
    checkRange('offset', offset, 0, Number.MAX_SAFE_INTEGER);
    checkRange('limit', limit, 1, MOST_LISTED);
    const entries = await this.journal.deadLetters(offset, limit);
    return entries.map((entry) => this.#deadLetter(entry));
  }

  /**
   * Puts dead letters back into the journal: those of the keys, or all there are. Returns how many. In mode `'replace'` one that a later write
   * has overtaken is dropped. A batch is new to the source when it comes again. One round trip for 500, and as much to list them.
   */
  retryDeadLetters(keys?: readonly Key[]): Promise<number> {
    return this.#empty(keys, (fields) => this.journal.revive(fields));
  }

  /** Forgets dead letters: those of the keys, or all there are. Returns how many. */
  discardDeadLetters(keys?: readonly Key[]): Promise<number> {
    return this.#empty(keys, (fields) => this.journal.discard(fields));
  }

  #check(outcome: JournalOutcome): void {
    switch (outcome) {
      case 'journalled':
        this.counters.writes += 1;
        return;
      case 'repeated':
        this.counters.writesRepeated += 1;
        return;
      case 'full':
        this.counters.writesRefused += 1;
        throw new WriteBehindFullError(this.config.name, this.config.maxPending);
      case 'overflow':
        this.counters.writesRefused += 1;
        throw new WriteBehindOverflowError(this.config.name);
    }
  }

  #deadLetter({ field, value, reason, sinceMs }: BuriedEntry): DeadLetter<Value, Key> {
    return { key: decodeField(field) as Key, value: this.#tryDecode(value), reason, since: new Date(sinceMs) };
  }

  #tryDecode(bytes: Buffer): Value | undefined {
    try {
      return this.format.decode(bytes);
    } catch {
      return undefined;
    }
  }

  async #empty(
    keys: readonly Key[] | undefined,
    move: (fields: readonly string[]) => Promise<number>,
  ): Promise<number> {
    const listed = keys?.map(encodeField);
    let left = listed?.length ?? (await this.journal.size()).deadLetters;
    let moved = 0;
    // Counted down, since what is retried may be dead again before the last page.
    for (let at = 0; left > 0; at += PAGE, left -= PAGE) {
      const count = Math.min(PAGE, left);
      const page = listed?.slice(at, at + count) ?? (await this.#fields(count));
      const done = await move(page);
      moved += done;
      if (listed === undefined && done === 0) break;
    }
    return moved;
  }

  async #fields(count: number): Promise<string[]> {
    return (await this.journal.deadLetters(0, count)).map(({ field }) => field);
  }
}

function checkRange(name: string, given: number, least: number, most: number): void {
  if (Number.isSafeInteger(given) && given >= least && given <= most) return;
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}; it is ${given}.`);
}

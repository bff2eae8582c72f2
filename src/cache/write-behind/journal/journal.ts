/** What became of a write. */
export type JournalOutcome =
  /** The journal holds it. */
  | 'journalled'
  /** The journal has had a write of this key and id before. */
  | 'repeated'
  /** The journal is full. Nothing was written. */
  | 'full'
  /** The sum would be no safe integer. Nothing was written. */
  | 'overflow';

/** One key with its value, encoded. */
export interface JournalEntry {
  readonly field: string;
  readonly value: Buffer;
}

/** Names one claim of one batch. */
export interface Claim {
  readonly number: number;
  /** Of this claim alone: a claimer that was overtaken can change nothing any more. */
  readonly token: string;
}

/** A batch in the hands of a flusher. */
export interface ClaimedBatch extends Claim {
  /** Stays the same for as long as the batch exists. */
  readonly id: string;
  /** How often it was claimed, this time included. */
  readonly attempt: number;
  /** After how many failures of this batch the source took something else of this journal, before the next attempt at it. */
  readonly overtaken: number;
  readonly entries: readonly JournalEntry[];
}

/** An entry that the source refused, with the name of its error. */
export interface Refusal {
  readonly field: string;
  readonly reason: string;
}

/** A refused entry, as the journal keeps it. */
export interface BuriedEntry extends JournalEntry, Refusal {
  /** Milliseconds since the Unix epoch. */
  readonly sinceMs: number;
}

/** How many entries a journal holds. */
export interface WriteBehindSize {
  /** Not claimed yet. */
  readonly waiting: number;
  /** Claimed, and not settled. */
  readonly inFlight: number;
  readonly deadLetters: number;
}

/**
 * Where writes are kept until the source has them. Every method is atomic, and one round trip at most.
 *
 * - A field is in one batch at most. While it is, later writes of it wait, and are claimable only when the batch is settled.
 * - A batch keeps its id and its entries until it is settled.
 * - `renew`, `postpone` and `settle` do nothing, and return false, for a claim that is not the batch's last.
 */
export interface Journal {
  /** A write of `field`; repeated with the same `id`, it counts once. */
  write(field: string, value: string | Buffer, id: string | undefined): Promise<JournalOutcome>;
  /** What is in flight for the field, and what waits behind it. */
  pending(field: string): Promise<readonly [inFlight: Buffer | null, waiting: Buffer | null]>;
  /** A batch that is due: one whose lease or pause has run out, else a new one; null when there is none. */
  claim(): Promise<ClaimedBatch | null>;
  /** Renews the lease. */
  renew(claim: Claim): Promise<boolean>;
  /** Gives the batch back, for `pauseMs`. */
  postpone(claim: Claim, pauseMs: number): Promise<boolean>;
  /**
   * Ends the batch: the refused entries become dead letters, the others are in the source. Rejects with `WriteBehindModeError` when that would
   * sum what was written in mode `'replace'`: then the batch stays as it is.
   */
  settle(claim: Claim, refused: readonly Refusal[]): Promise<boolean>;
  /** A page of dead letters, oldest first. */
  deadLetters(offset: number, limit: number): Promise<readonly BuriedEntry[]>;
  /** Puts dead letters back. Returns how many. */
  revive(fields: readonly string[]): Promise<number>;
  /** Forgets dead letters. Returns how many. */
  discard(fields: readonly string[]): Promise<number>;
  size(): Promise<WriteBehindSize>;
  /** The application is shutting down. A journal that dies with the process takes no more writes. */
  close(): void;
}

/** What a journal has to know. */
export interface JournalConfig {
  readonly name: string;
  readonly mode: 'add' | 'replace';
  readonly batchSize: number;
  readonly maxPending: number;
  readonly leaseMs: number;
  readonly idWindowMs: number;
  readonly deadlineMs: number | undefined;
}

/** What a repeated write has in common with the first one: the same id means nothing on another key. */
export function idOfWrite(id: string, field: string): string {
  return JSON.stringify([id, field]);
}

/** What {@link EntryStore.claim} found: bytes; null when the lease is ours; undefined when nothing is there, and no lease could be taken. */
export type Claimed = Buffer | null | undefined;

/** Another's lease that is in the way, or what took its place. */
export interface Contended {
  /** What is left of the other's lease, in milliseconds; 0 when it is gone. */
  readonly waitMs: number;
  /** With `waitMs` 0: what the entry holds, null when the lease is ours. */
  readonly held: Buffer | null;
}

/** What became of the attempt to replace an entry. */
export type RefreshClaim =
  | { readonly kind: 'ours' }
  | { readonly kind: 'theirs'; readonly waitMs: number }
  | { readonly kind: 'failed'; readonly mark: Buffer }
  /** The entry is another by now. */
  | { readonly kind: 'moved' };

/** What a refresh came to. */
export type RefreshOutcome =
  | { readonly kind: 'value'; readonly bytes: string | Buffer; readonly ttlMs: number }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'failure'; readonly mark: string; readonly backoffMs: number }
  /** The stale entry serves on from `nowMs`, the caller's time, for `serveMs`, though not beyond its own time. */
  | { readonly kind: 'prolonged'; readonly nowMs: number; readonly serveMs: number };

/** What a write of the source came to: a value for the cache, none, or nothing at all, since the source is unchanged. */
export type WriteOutcome =
  | { readonly kind: 'value'; readonly bytes: string | Buffer; readonly ttlMs: number }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unchanged' };

/** The encoded value and how long it lives. */
export interface StoredBytes {
  readonly entry: string;
  readonly bytes: string | Buffer;
  readonly ttlMs: number;
}

/** The tokens of tags, read together. */
export interface TagReading {
  /** The tags' clock, in microseconds: an invalidation after this reading is later. */
  readonly clockUs: number;
  readonly tokens: readonly string[];
}

/**
 * Called with each entry whose waiters are to look again, and with null when that may have been missed. `stored` is what has taken the lease's place, if it was
 * told of: the message may be late, and the entry another by now.
 */
export type OnWake = (entry: string | null, stored: Buffer | null) => void;

/** Where the tags of a cache live. */
export interface TagKeys {
  readonly clock: string;
  readonly tags: readonly string[];
}

/**
 * Where entries are kept: Redis, or this process. The methods are single decisions, each one step that nobody comes between, and one round trip.
 *
 * They reject with `RedisUnavailableError` or `RedisReplyError` when the store could not do it; then it may or may not have been done.
 */
export interface EntryStore {
  /** What the entry holds; when it is absent its lease is taken. Claims of one tick share a round trip. */
  claim(entry: string, marker: string, leaseMs: number): Promise<Claimed>;

  /** What the entry holds. Reads of one tick share a round trip. */
  read(entry: string): Promise<Buffer | null>;

  /**
   * Puts an outcome in a lease's place: a value, the mark of a failure, or nothing (''). False when the lease is no longer ours. Leaves behind what is read in the
   * same tick, unless `isUrgent`.
   */
  settle(entry: string, marker: string, outcome: string | Buffer, ttlMs: number, isUrgent?: boolean): Promise<boolean>;

  /** Asks to be woken when another's lease on the entry ends, or takes the lease when it has ended. */
  wait(entry: string, marker: string, leaseMs: number): Promise<Contended>;

  /** Takes the right to replace the entry that begins with `head`. With `waits`, asks to be woken when another's refresh ends. */
  claimRefresh(
    entry: string,
    head: string | Buffer,
    marker: string,
    leaseMs: number,
    waits: boolean,
  ): Promise<RefreshClaim>;

  /** Ends a refresh. False when the lease or the entry was no longer ours: then the outcome was dropped. */
  settleRefresh(entry: string, head: string | Buffer, marker: string, outcome: RefreshOutcome): Promise<boolean>;

  /** Keeps a lease, that of an entry or that of its refresh. False when it is no longer ours. */
  renew(entry: string, isRefresh: boolean, marker: string, leaseMs: number): Promise<boolean>;

  /** Says that the source of an entry is about to be written, under an id. Resolves with whether nobody else was writing it. */
  beginWrite(entry: string, id: string, holdMs: number): Promise<boolean>;

  /** Ends what {@link beginWrite} began. A value is stored only if nobody else wrote or evicted the entry, or began to, meanwhile; else the entry is evicted. Resolves with whether it is stored. */
  endWrite(entry: string, id: string, outcome: WriteOutcome): Promise<boolean>;

  /** Writes entries, whatever they held. Whoever is writing the source of one of them, since {@link beginWrite}, is no longer its only writer. */
  put(values: readonly StoredBytes[]): Promise<void>;

  /** Evicts entries, and ends the loads under way for them. Whoever is writing the source of one of them is no longer its only writer. */
  evict(entries: readonly string[]): Promise<void>;

  /** The tokens of tags as they are now, undefined where a tag has none. Reads of one tick share a round trip. */
  peekTags(tags: readonly string[]): Promise<readonly (string | undefined)[]>;

  /** The tokens of tags, made where they are missing, each kept for at least three quarters of `holdMs`. */
  readTags(keys: TagKeys, holdMs: number): Promise<TagReading>;

  /** Gives tags new tokens, and returns the token. */
  invalidateTags(keys: TagKeys, holdMs: number): Promise<string>;

  /** Every key that matches the pattern, in batches, some perhaps twice. */
  scan(pattern: string, signal: AbortSignal | undefined): AsyncIterable<readonly string[]>;

  /** Begins to tell of the ends of leases that somebody waits for. Resolves once it hears of them. */
  listen(onWake: OnWake): Promise<void>;

  close(): void;
}

import { LRUCache } from 'lru-cache';
import type { Codec } from '../../core/codec/codec.js';
import type { Clock } from '../../core/time/clock.js';
import type { StoredValue } from '../entry/entry-format.js';
import type { KnownTag } from '../tags/known-tag.js';
import type { Coherence } from './coherence.js';
import { freezeDeep } from './freeze-deep.js';
import { PendingReads, type PendingRead } from './pending-reads.js';

/** Bounds of a memory tier. */
export interface MemoryLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Longest stay in memory. */
  readonly ttlMs: number;
}

/** What an entry costs beside its bytes: its key, its bookkeeping, and that objects are larger than the text that describes them. */
const OVERHEAD_BYTES = 250;

/**
 * Copies of entries in this process. A hit costs no round trip, no decoding and no copy: everybody is given the same frozen value, or one
 * of their own when the value cannot be frozen.
 *
 * A copy is served while it is fresh, its tags are live, and changes of it would be heard of. It never outlives what is left of the entry's time.
 */
export class MemoryTier {
  readonly #copies: LRUCache<string, MemoryCopy>;
  readonly #reads = new PendingReads();

  constructor(
    private readonly limits: MemoryLimits,
    private readonly coherence: Coherence,
    private readonly codec: Codec,
    private readonly clock: Clock,
  ) {
    this.#copies = new LRUCache({
      max: limits.maxEntries,
      maxSize: limits.maxBytes,
      sizeCalculation: (copy, key) => copy.byteLength + key.length + OVERHEAD_BYTES,
    });
  }

  /** A copy that may be served now. */
  find(entry: string): MemoryCopy | undefined {
    const copy = this.#copies.get(entry);
    if (copy === undefined || !this.coherence.live) return undefined;
    return copy.isGood(this.clock.now()) ? copy : undefined;
  }

  /** A copy whatever its state, for what it says of the entry. */
  peek(entry: string): MemoryCopy | undefined {
    return this.#copies.peek(entry);
  }

  /** Call before a read is sent, and {@link drop} when all is done with what it brought. */
  expect(entry: string): PendingRead {
    return this.#reads.begin(entry);
  }

  drop(read: PendingRead): void {
    this.#reads.end(read);
  }

  /** Keeps what a read brought, unless that was overtaken by a change. Throws `DecodeError`. */
  keep(read: PendingRead, stored: StoredValue, tags: readonly KnownTag[]): MemoryCopy {
    const nowMs = this.clock.now();
    const untilMs = Math.min(stored.freshUntilMs, nowMs + this.limits.ttlMs);
    const copy = new MemoryCopy(stored, this.codec, untilMs, tags);
    if (!read.isStale && this.coherence.live && copy.isGood(nowMs)) this.#copies.set(read.key, copy);
    return copy;
  }

  /** Makes of a way to decode a value the way to hand it out: frozen to everybody, or to each a copy when it cannot be frozen. */
  handing(decode: () => unknown): () => unknown {
    const value = decode();
    return freezeDeep(value) ? () => value : decode;
  }

  /** The entry has changed. */
  changed(entry: string): void {
    this.#reads.changed(entry);
    this.#copies.delete(entry);
  }

  /** Anything may have changed. */
  clear(): void {
    this.#reads.changedAll();
    this.#copies.clear();
  }
}

/** One entry's copy. */
export class MemoryCopy {
  readonly byteLength: number;
  /** The stored entry's own facts: its version, load time and age. */
  readonly stored: StoredValue;
  /** The frozen value; nothing when each caller needs a copy. */
  readonly #value: unknown;
  readonly #promise: Promise<unknown> | null;

  /** Throws `DecodeError`. */
  constructor(
    stored: StoredValue,
    private readonly codec: Codec,
    private readonly untilMs: number,
    private readonly tags: readonly KnownTag[],
  ) {
    this.byteLength = stored.bytes.length;
    const value = stored.decode(codec);
    const isFrozen = freezeDeep(value);
    this.#value = isFrozen ? value : undefined;
    this.#promise = isFrozen ? Promise.resolve(value) : null;
    this.stored = stored.detached(!isFrozen);
  }

  /** The value, frozen and shared, or the caller's own: awaiting a promise that is there already is the cheapest way to hand it out. */
  hand(): Promise<unknown> {
    return this.#promise ?? Promise.resolve(this.value());
  }

  /** The value, frozen and shared, or the caller's own. */
  value(): unknown {
    return this.#promise === null ? this.stored.decode(this.codec) : this.#value;
  }

  isGood(nowMs: number): boolean {
    if (nowMs >= this.untilMs) return false;
    for (const tag of this.tags) if (!tag.isLive) return false;
    return true;
  }
}

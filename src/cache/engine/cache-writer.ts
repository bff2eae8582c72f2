import { isStoreError } from '../store/is-store-error.js';
import type { CacheCore } from '../cache-core.js';
import type { ScopedKeys } from '../cache-keys.js';
import type { Deferred } from '../deferred.js';
import { EntryIds } from '../entry/entry-id.js';
import { writeValue, type Payload, type TagToken } from '../entry/entry-format.js';
import type { StoredBytes } from '../store/entry-store.js';
import { lifetimeOf, type Lifetime, type Policy } from './policy.js';

/** A value that is to be written. */
export interface Write {
  readonly entry: string;
  readonly value: unknown;
  readonly payload: Payload;
  /** The keys of its tags. */
  readonly tags: readonly string[];
}

/** A write of an entry's source that is under way. */
export interface WriteFence {
  readonly entry: string;
  readonly id: string;
  /** Whether nobody else was writing it when it began. */
  readonly isAlone: boolean;
  /** The tags' clock when it began. */
  readonly clockUs: number;
}

/** How long a write is known to others. One that takes longer evicts the entry in the end. */
const FENCE_MS = 60_000;

/** How `invalidatePattern` and `clear` go about it. */
export interface PatternOptions {
  /** Called after each batch with the number of entries evicted so far. */
  readonly onProgress?: (evicted: number) => void;
  /** Ends it early; what is evicted stays so. */
  readonly signal?: AbortSignal;
}

/** What `invalidatePattern` or `clear` came to. */
export interface PatternResult {
  /** How many keys were found and evicted. */
  readonly evicted: number;
  /** False when it ended early: by the signal, or because Redis could not be told of the rest. */
  readonly complete: boolean;
}

/**
 * Changes what a cache holds. Each method resolves with true once the store has confirmed; with false when it could not be told, and then goes on telling it, and
 * this process does not read meanwhile what should be gone.
 */
export class CacheWriter {
  readonly #ids = new EntryIds();

  constructor(private readonly core: CacheCore) {}

  async write(
    keys: ScopedKeys,
    writes: readonly Write[],
    policy: Policy,
    expiresAt: Date | undefined,
  ): Promise<boolean> {
    const { store, clock } = this.core.options;
    const nowMs = clock.now();
    const lives = writes.map(({ value }) => lifetimeOf(policy, value, expiresAt, nowMs, Math.random));
    const entries = writes.map(({ entry }) => entry);
    const { deferredEntries } = this.core;
    const { moment } = deferredEntries;
    this.#distrust(entries);
    try {
      const values = await this.#compose(keys, writes, lives, nowMs, null);
      if (values.length > 0) await store.put(values);
      // What must not be kept must not leave the old value behind either.
      const kept = new Set(values.map(({ entry }) => entry));
      const dropped = entries.filter((entry) => !kept.has(entry));
      if (dropped.length > 0) await store.evict(dropped);
    } catch (error) {
      if (!isStoreError(error)) throw error;
      this.core.noteLost(entries, error);
      return false;
    }
    deferredEntries.settled(entries, moment);
    this.#distrust(entries);
    for (const key of entries) this.core.events.emit({ type: 'write', key });
    return true;
  }

  /** Call before the source of an entry is written, and {@link endWrite} afterwards. Never rejects: without the store, the entry is evicted in the end. */
  async beginWrite(keys: ScopedKeys, entry: string, hasTags: boolean): Promise<WriteFence> {
    const id = this.#ids.next();
    const { store } = this.core.options;
    try {
      const [isAlone, clockUs] = await Promise.all([
        store.beginWrite(entry, id, FENCE_MS),
        hasTags ? this.core.tags.clock(keys.space.clockKey) : 0,
      ]);
      return { entry, id, isAlone, clockUs };
    } catch (error) {
      if (!isStoreError(error)) throw error;
      return { entry, id, isAlone: false, clockUs: 0 };
    }
  }

  /** The source was not changed: the entry stays as it is. */
  async cancelWrite({ entry, id }: WriteFence): Promise<void> {
    // What stays behind makes the next writer evict, for a minute at most.
    await this.core.options.store.endWrite(entry, id, { kind: 'unchanged' }).catch(() => false);
  }

  /**
   * The source was changed. Stores the value, if this was its only writer, and nobody evicted or set the entry or invalidated one of its tags meanwhile; else, or for
   * null, evicts the entry.
   */
  async endWrite(
    { entry, id, isAlone, clockUs }: WriteFence,
    keys: ScopedKeys,
    write: Write | null,
    policy: Policy,
    expiresAt: Date | undefined,
  ): Promise<boolean> {
    const { store, clock } = this.core.options;
    const { deferredEntries } = this.core;
    const { moment } = deferredEntries;
    const nowMs = clock.now();
    const writes = write === null || !isAlone ? [] : [write];
    const lives = writes.map(({ value }) => lifetimeOf(policy, value, expiresAt, nowMs, Math.random));
    this.#distrust([entry]);
    try {
      const [value] = await this.#compose(keys, writes, lives, nowMs, clockUs);
      await store.endWrite(entry, id, value === undefined ? { kind: 'nothing' } : { ...value, kind: 'value' });
    } catch (error) {
      if (!isStoreError(error)) throw error;
      this.core.noteLost([entry], error);
      return false;
    }
    deferredEntries.settled([entry], moment);
    this.#distrust([entry]);
    this.core.events.emit({ type: 'write', key: entry });
    return true;
  }

  async evict(entries: readonly string[]): Promise<boolean> {
    const { deferredEntries } = this.core;
    const { moment } = deferredEntries;
    this.#distrust(entries);
    for (const key of entries) this.core.events.emit({ type: 'delete', key });
    try {
      await this.core.evictions.during(entries, () => this.core.options.store.evict(entries));
    } catch (error) {
      return this.#later(deferredEntries, entries, error);
    }
    deferredEntries.settled(entries, moment);
    this.#distrust(entries);
    return true;
  }

  async invalidate(keys: ScopedKeys, tags: readonly string[]): Promise<boolean> {
    if (tags.length === 0) return true;
    const { deferredTags } = this.core;
    const { moment } = deferredTags;
    this.core.engine.forgetAll();
    this.core.events.emit({ type: 'invalidate', keys: tags });
    try {
      await this.core.tags.invalidate(keys.space.clockKey, tags, this.core.tagHoldMs);
    } catch (error) {
      return this.#later(deferredTags, tags, error);
    }
    deferredTags.settled(tags, moment);
    return true;
  }

  async evictAll(pattern: string, { onProgress, signal }: PatternOptions): Promise<PatternResult> {
    const { store } = this.core.options;
    let evicted = 0;
    this.core.engine.forgetAll();
    try {
      for await (const keys of store.scan(pattern, signal)) {
        if (signal?.aborted === true) return { evicted, complete: false };
        if (keys.length === 0) continue;
        this.#distrust(keys);
        await store.evict(keys);
        this.#distrust(keys);
        // Among the keys are those of tags, whose tokens are gone.
        this.core.tags.distrust(keys);
        evicted += keys.length;
        onProgress?.(evicted);
      }
    } catch (error) {
      if (signal?.aborted !== true && !isStoreError(error)) throw error;
      return { evicted, complete: false };
    }
    return { evicted, complete: true };
  }

  async #compose(
    keys: ScopedKeys,
    writes: readonly Write[],
    lives: readonly Lifetime[],
    nowMs: number,
    sinceUs: number | null,
  ): Promise<StoredBytes[]> {
    const { codec } = this.core.options.config;
    const tokens = await this.#tokensOf(keys, writes, lives, sinceUs);
    if (tokens === null) return [];
    return writes.flatMap(({ entry, payload, tags }, i) => {
      const { freshMs, keptMs } = lives[i] as Lifetime;
      if (freshMs === 0) return [];
      const tagged = tags.map((key): TagToken => ({
        tag: key.slice(keys.space.prefix.length),
        token: tokens.get(key) ?? '',
      }));
      const facts = { freshUntilMs: nowMs + freshMs, storedAtMs: nowMs, loadMs: 0, tags: tagged };
      return [{ entry, ttlMs: keptMs, bytes: writeValue(codec, this.#ids.next(), payload, facts) }];
    });
  }

  /** The tokens of all tags of the values, asked for together. Null when one of them was invalidated since that reading of the clock. */
  async #tokensOf(
    keys: ScopedKeys,
    writes: readonly Write[],
    lives: readonly Lifetime[],
    sinceUs: number | null,
  ): Promise<ReadonlyMap<string, string> | null> {
    const tags = [...new Set(writes.flatMap((write) => write.tags))];
    if (tags.length === 0) return NO_TOKENS;
    const longestMs = Math.max(...lives.map(({ keptMs }) => keptMs));
    const { clockKey } = keys.space;
    const book = this.core.tags;
    const tokens = await (sinceUs === null
      ? book.forWrite(clockKey, tags, longestMs)
      : book.forWriteSince(sinceUs, clockKey, tags, longestMs));
    return tokens && new Map(tags.map((tag, i) => [tag, tokens[i] ?? '']));
  }

  /** Nothing local from before counts any more. */
  #distrust(keys: readonly string[]): void {
    for (const key of keys) {
      this.core.engine.forget(key);
      this.core.changed(key);
    }
  }

  #later(deferred: Deferred, keys: readonly string[], error: unknown): boolean {
    if (!isStoreError(error)) throw error;
    this.core.noteLate(deferred, keys, error);
    return false;
  }
}

const NO_TOKENS: ReadonlyMap<string, string> = new Map();

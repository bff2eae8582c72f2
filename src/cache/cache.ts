import { EncodeError } from '../core/codec/codec.errors.js';
import { ConfigurationError } from '../core/errors/configuration.error.js';
import type { KeyParts } from '../core/keys/key-part.js';
import type { Cancel } from '../core/time/clock.js';
import type { CacheCore } from './cache-core.js';
import type { CacheCounters } from './cache-counters.js';
import type { CacheEventListener } from './cache-events.js';
import type { CacheKeys, ScopedKeys } from './cache-keys.js';
import type { CacheTag, CacheTags, GetOrSetOptions, StoreOptions } from './cache.options.js';
import { BatchLoad, type BatchLoader } from './engine/batch-load.js';
import { CacheWriter, type PatternOptions, type PatternResult, type Write } from './engine/cache-writer.js';
import { resolvePolicy, type Policy } from './engine/policy.js';
import type { LoadRequest } from './engine/request.js';
import { checkTagsFit, encodePayload } from './entry/entry-format.js';
import { reportOutcome } from './http/cache-status.js';
import type { KeyPattern } from './key-pattern.js';

/** What identifies an entry: one part, or a list of parts. `42` is not `'42'`; see `encodeKey`. */
export type CacheKey = KeyParts;

/** Produces the value that is to be cached. */
export type Loader<Value> = () => Value | Promise<Value>;

/**
 * A cache of values under keys, kept in Redis, and in this process too when it has a memory tier.
 *
 * - **Redis is never in the way.** When it is down, hung or refuses, reads are misses and writes are dropped, within `redisDeadline`;
 *   no method rejects for it.
 * - **Nothing stale after an invalidation.** Once `delete`, `set`, `invalidateTags` or `invalidateSegment` has resolved with true, no reader of Redis, in any
 *   process, is given what was there before, nor what a load brings that began before. Copies in the memory of other processes follow within
 *   milliseconds: as long as the server's word takes.
 * - **One load per key**, whoever asks at the same time, in this process or another.
 * - Every value is cached as itself: `null`, `false`, `0` and `''` too. Only `undefined` means "nothing": a loader that gives
 *   `undefined` caches nothing.
 * - What a caller is given is its own: a copy, or with a memory tier a frozen value that nobody can change. It has the same types wherever it came from,
 *   also from the load itself: those that the codec keeps. Only a value that the codec cannot encode is handed as it is to all who shared its load.
 *
 * Inject a named one with `@InjectCache('products')`, the default one as `CacheService`.
 */
export class Cache<Value = unknown> {
  readonly name: string;
  readonly #core: CacheCore;
  readonly #keys: CacheKeys;
  readonly #policy: Policy;
  readonly #writer: CacheWriter;
  readonly #policies = new WeakMap<object, Policy>();

  constructor(core: CacheCore, keys: CacheKeys = core.keys) {
    this.#core = core;
    this.#writer = new CacheWriter(core);
    this.#keys = keys;
    this.name = core.options.config.name;
    this.#policy = core.options.config.policy;
  }

  /** What this cache counted since the process began, its segments included. */
  get counters(): CacheCounters {
    return this.#core.counters;
  }

  /**
   * Cache-aside: the cached value, or else the loader's, which is then cached.
   *
   * Concurrent callers of one key, in all processes, share one load; those in this process share its failure too. The loader's error reaches them
   * as it is; callers in other processes, and later ones while it is backed off, are given `CacheLoadError`. A
   * value that cannot be stored, because Redis refuses or the codec cannot encode it, is returned all the same. What is loaded
   * never overwrites what somebody wrote meanwhile, nor brings back what somebody invalidated.
   *
   * Round trips: none for a hit in memory, 1 for a hit in Redis. A miss takes 2, the second of which no caller waits for, or 3 when this process
   * has seen the entry before and it is gone; replacing an entry that is
   * stale, or dead by a tag, takes 3.
   */
  getOrSet<V extends Value>(key: CacheKey, load: Loader<V>, options: GetOrSetOptions<V> = NO_OPTIONS): Promise<V> {
    return this.#getOrSet(key, load, options, null) as Promise<V>;
  }

  /**
   * `getOrSet` for many keys: one round trip for the reads (on a cluster one per node), then one call of the loader for all keys that are missing and not being
   * loaded elsewhere. The values come in the order of the keys. A key for which the loader gives `undefined` is not cached.
   */
  async getOrSetMany<K extends CacheKey, V extends Value>(
    keys: readonly K[],
    loadMany: BatchLoader<K, V>,
    options: GetOrSetOptions<V> = NO_OPTIONS,
  ): Promise<(V | undefined)[]> {
    const batch = new BatchLoad(loadMany, keys.length);
    return Promise.all(
      keys.map(async (key) => {
        const place = batch.place(key);
        try {
          return (await this.#getOrSet(key, place.load, options, place.waits)) as V | undefined;
        } finally {
          place.settled();
        }
      }),
    );
  }

  /**
   * The cached value while it is fresh, or `undefined`. One that serves on for the `throttle` after a failed load counts as fresh for so long. One round trip, shared with the other reads of the same tick; one more for a tagged value. */
  async get<V extends Value = Value>(key: CacheKey): Promise<V | undefined> {
    const keys = this.#keys.current();
    const entry = keys.entry(key);
    const copy = this.#core.memory?.find(entry);
    if (copy !== undefined) {
      this.#noteMemoryHit(entry, copy.stored.isProlonged);
      return (await copy.hand()) as V;
    }
    const found = await this.#core.engine.find(entry, keys.space, keys.baseTags);
    this.#note(entry, found !== null, false);
    return found?.value as V | undefined;
  }

  /** The cached values in the order of the keys, `undefined` where there is none. One round trip; on a cluster one per node. */
  getMany<V extends Value = Value>(keys: readonly CacheKey[]): Promise<(V | undefined)[]> {
    return Promise.all(keys.map((key) => this.get<V>(key)));
  }

  /**
   * Stores a value. Resolves with true once Redis has it; with false when Redis could not take it, in which case the entry
   * that was there before is evicted as soon as Redis is back. One round trip; one more when it has tags.
   *
   * Rejects with `EncodeError` for a value that the codec cannot keep, `undefined` among them.
   */
  set<V extends Value>(key: CacheKey, value: V, options: StoreOptions<V> = NO_OPTIONS): Promise<boolean> {
    return this.#setMany([[key, value]], options);
  }

  /** Stores many values: all of them, or none when one cannot be encoded; of several for one key, the last. True when Redis took every one. One round trip; on a cluster one per node. */
  setMany(entries: Iterable<readonly [CacheKey, Value]>, options: StoreOptions<Value> = NO_OPTIONS): Promise<boolean> {
    return this.#setMany(entries, options);
  }

  /**
   * Warming: loads and caches what is missing of these keys, `batch` of them at a time (default 100), and leaves alone what is there. Resolves with how many keys were
   * gone through: fewer than all when the signal ended it. Rejects as the loader does, and with `ConfigurationError` when `batch` is not a whole number above 0.
   */
  async warm<K extends CacheKey, V extends Value>(
    keys: Iterable<K>,
    loadMany: BatchLoader<K, V>,
    options: GetOrSetOptions<V> & { readonly batch?: number; readonly signal?: AbortSignal } = NO_OPTIONS,
  ): Promise<number> {
    const { batch = 100, signal } = options;
    if (!(Number.isInteger(batch) && batch >= 1)) {
      throw new ConfigurationError(`warm: batch must be a whole number above 0; it is ${batch}.`);
    }
    const all = [...keys];
    let done = 0;
    while (done < all.length && signal?.aborted !== true) {
      const some = all.slice(done, done + batch);
      await this.getOrSetMany(some, loadMany, options);
      done += some.length;
    }
    return done;
  }

  /**
   * Write-through: runs `write`, which changes the source, and caches what it returns. First the source, then the cache, never the other way round: when
   * `write` fails, the cache stays as it was. What `write` returns is returned whatever becomes of the cache; when it could not be stored, the entry that it
   * should have replaced is evicted. A result of `undefined` evicts the entry. When several write one key at once, in this process or others, or somebody evicts or sets the
   * entry or invalidates one of its tags meanwhile, it is evicted too, since nobody can say who has the latest from the source. Two round trips; three for a tagged value.
   */
  async writeThrough<V extends Value>(
    key: CacheKey,
    write: () => V | Promise<V>,
    options: GetOrSetOptions<V> = NO_OPTIONS,
  ): Promise<V> {
    // Before the source changes: a key that cannot be built, or options that make no sense, must not be found out afterwards.
    const keys = this.#keys.current();
    const policy = this.#policyOf(options);
    const hasTags = options.tags !== undefined || keys.baseTags.length > 0;
    const fence = await this.#writer.beginWrite(keys, keys.entry(key), hasTags);
    let value: V;
    try {
      value = await write();
    } catch (error) {
      await this.#writer.cancelWrite(fence);
      throw error;
    }
    try {
      if (options.unless?.(value) === true) {
        await this.#writer.cancelWrite(fence);
        return value;
      }
      const composed = value === undefined ? null : this.#compose(keys, fence.entry, value, options);
      await this.#writer.endWrite(fence, keys, composed, policy, options.expiresAt);
    } catch (error) {
      // The source has been changed: what cannot be stored must at least not leave the old value behind.
      await this.#writer.endWrite(fence, keys, null, policy, undefined);
      if (!(error instanceof EncodeError)) throw error;
      this.counters.unencodable += 1;
    }
    return value;
  }

  /**
   * Evicts an entry. From this call on, this process serves the old value to no new caller, and no load that is under way anywhere brings it back.
   *
   * Resolves with true once Redis has confirmed. With false when Redis could not be told: the eviction is then repeated
   * until it is confirmed, and until then this process treats the entry as absent. One round trip.
   */
  delete(key: CacheKey): Promise<boolean> {
    return this.deleteMany([key]);
  }

  /** Evicts entries, as {@link delete} does. One round trip; on a cluster one per node. */
  async deleteMany(keys: readonly CacheKey[]): Promise<boolean> {
    const current = this.#keys.current();
    const entries = keys.map((key) => current.entry(key));
    this.counters.invalidations += 1;
    return this.#writer.evict(entries);
  }

  /**
   * Invalidates every entry that carries one of the tags, in O(1) whatever their number: entries that are stored, in memory, and being loaded.
   *
   * Resolves with true once Redis has confirmed. With false when Redis could not be told: it is then repeated until it is confirmed, and until then this
   * process treats those entries as absent. One round trip.
   */
  async invalidateTags(tags: readonly CacheTag[]): Promise<boolean> {
    const keys = this.#keys.current();
    const tagKeys = tags.map((tag) => keys.tag(tag));
    this.counters.invalidations += 1;
    return this.#writer.invalidate(keys, tagKeys);
  }

  /** Invalidates every entry of the segment, as {@link invalidateTags} does for tags. One round trip. */
  async invalidateSegment(segment: string): Promise<boolean> {
    const keys = this.#keys.current();
    this.counters.invalidations += 1;
    return this.#writer.invalidate(keys, [keys.segmentTag(segment)]);
  }

  /** The part of this cache under that name: entries with keys of their own, which `invalidateSegment(name)` invalidates all at once. Tags are the cache's. */
  segment(name: string): Cache<Value> {
    return new Cache(this.#core, this.#keys.inSegment(name));
  }

  /**
   * Evicts every entry whose key matches, by SCAN and UNLINK on every master: O(keys in the server), so for rare use. Tags and segments are the fast way. Entries
   * that are written while it runs may stay.
   *
   * ```ts
   * await cache.invalidatePattern(['user', 42, ANY]);
   * ```
   */
  async invalidatePattern(pattern: KeyPattern, options: PatternOptions = {}): Promise<PatternResult> {
    const like = this.#keys.current().entriesLike(pattern);
    this.counters.invalidations += 1;
    return this.#writer.evictAll(like, options);
  }

  /** Evicts everything in this cache, its segments and tags included; of a segment, everything in that; with a scope, only the present one's. As {@link invalidatePattern} does. */
  async clear(options: PatternOptions = {}): Promise<PatternResult> {
    const everything = this.#keys.current().everything();
    this.counters.invalidations += 1;
    return this.#writer.evictAll(everything, options);
  }

  /** Calls the listener with what happens in this cache, in this process. */
  onEvent(listener: CacheEventListener): Cancel {
    return this.#core.events.on(listener);
  }

  #getOrSet(
    key: CacheKey,
    load: () => unknown,
    options: GetOrSetOptions<never>,
    onWait: (() => void) | null,
  ): Promise<unknown> {
    try {
      const keys = this.#keys.current();
      const entry = keys.entry(key);
      const copy = this.#core.memory?.find(entry);
      if (copy === undefined) return this.#fetch(this.#request(keys, entry, load, options, onWait));
      this.#noteMemoryHit(entry, copy.stored.isProlonged);
      if (this.#mayRefreshEarly(options)) {
        this.#core.engine.refreshEarly(this.#request(keys, entry, load, options, null), copy.stored);
      }
      return copy.hand();
    } catch (error) {
      return rejected(error);
    }
  }

  async #setMany<V>(entries: Iterable<readonly [CacheKey, V]>, options: StoreOptions<V>): Promise<boolean> {
    const keys = this.#keys.current();
    const policy = this.#policyOf(options);
    const writes = new Map<string, Write>();
    for (const [key, value] of entries) {
      const entry = keys.entry(key);
      writes.set(entry, this.#compose(keys, entry, value, options));
    }
    return this.#writer.write(keys, [...writes.values()], policy, options.expiresAt);
  }

  /** Throws `EncodeError`. */
  #compose<V>(keys: ScopedKeys, entry: string, value: V, { tags }: StoreOptions<V>): Write {
    const { codec, compressAbove } = this.#core.options.config;
    return { entry, value, payload: encodePayload(codec, value, compressAbove), tags: tagKeysOf(keys, tags, value) };
  }

  async #fetch(request: LoadRequest): Promise<unknown> {
    const { value, isHit, isStale } = await this.#core.engine.fetch(request);
    this.#note(request.entry, isHit, isStale);
    return value;
  }

  #request(
    keys: ScopedKeys,
    entry: string,
    load: () => unknown,
    options: GetOrSetOptions<never>,
    onWait: (() => void) | null,
  ): LoadRequest {
    const { tags, unless } = options;
    return {
      entry,
      load,
      onWait,
      space: keys.space,
      tags: typeof tags === 'function' ? keys.baseTags : tagKeysOf(keys, tags, undefined),
      tagsOf: typeof tags === 'function' ? (value) => tagKeysOf(keys, tags, value) : null,
      policy: this.#policyOf(options),
      expiresAt: options.expiresAt,
      unless: (unless as LoadRequest['unless'] | undefined) ?? null,
    };
  }

  /** Options that are the same object each time, as a decorator's are, are read once. */
  #policyOf(options: GetOrSetOptions<never>): Policy {
    if (options === NO_OPTIONS) return this.#policy;
    let policy = this.#policies.get(options);
    if (policy === undefined) {
      policy = resolvePolicy(this.#policy, options, ` of cache '${this.name}'`);
      this.#policies.set(options, policy);
    }
    return policy;
  }

  #mayRefreshEarly({ eagerRefresh, earlyRefresh }: GetOrSetOptions<never>): boolean {
    return (eagerRefresh ?? this.#policy.eagerRefresh) !== null || (earlyRefresh ?? this.#policy.earlyRefresh) > 0;
  }

  #noteMemoryHit(key: string, isStale: boolean): void {
    const { counters, events } = this.#core;
    counters.hits += 1;
    counters.memoryHits += 1;
    if (isStale) counters.staleServed += 1;
    if (events.isHeard) events.emit({ type: 'hit', key, tier: 'memory', stale: isStale });
    reportOutcome(true);
  }

  /** Each caller counts, also one that shared another's read. */
  #note(key: string, isHit: boolean, isStale: boolean): void {
    const { counters, events } = this.#core;
    if (isHit) counters.hits += 1;
    else counters.misses += 1;
    if (isStale) counters.staleServed += 1;
    if (events.isHeard) {
      events.emit(isHit ? { type: 'hit', key, tier: 'store', stale: isStale } : { type: 'miss', key });
    }
    reportOutcome(isHit);
  }
}

const NO_OPTIONS = {};

/** The keys of a value's tags, its segment's among them. */
function tagKeysOf(keys: ScopedKeys, tags: CacheTags<never> | undefined, value: unknown): readonly string[] {
  if (tags === undefined) return keys.baseTags;
  const given = typeof tags === 'function' ? tags(value as never) : tags;
  if (given.length === 0) return keys.baseTags;
  const tagKeys = [...new Set([...keys.baseTags, ...given.map((tag) => keys.tag(tag))])];
  checkTagsFit(tagKeys.map((key) => key.slice(keys.space.prefix.length)));
  return tagKeys;
}

/** A rejection instead of a throw, from a method that returns a promise without being asynchronous. */
async function rejected(error: unknown): Promise<never> {
  throw error;
}

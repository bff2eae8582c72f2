import type { KeySpace } from '../core/keys/key-space.js';
import type { Clock } from '../core/time/clock.js';
import type { CacheConfig } from './cache-config.js';
import { newCacheCounters, type CacheCounters } from './cache-counters.js';
import { CacheEvents } from './cache-events.js';
import { CacheKeys, clockKeyOf } from './cache-keys.js';
import { Deferred } from './deferred.js';
import { CacheEngine } from './engine/cache-engine.js';
import { longestLoadMs } from './engine/lease.js';
import { Loads } from './engine/loads.js';
import { TagCheck } from './engine/tag-check.js';
import type { Coherence } from './memory/coherence.js';
import { MemoryTier } from './memory/memory-tier.js';
import { RefusalLog } from '../core/redis/refusal-log.js';
import type { EntryStore } from './store/entry-store.js';
import { TagBook } from './tags/tag-book.js';
import { Unconfirmed } from './unconfirmed.js';

/** What a {@link CacheCore} is made of. */
export interface CacheCoreOptions {
  readonly config: CacheConfig;
  readonly store: EntryStore;
  /** `<prefix>:cache:<name>`. */
  readonly root: KeySpace;
  readonly clock: Clock;
  /** Needed for a memory tier; null where there is none. */
  readonly coherence: Coherence | null;
}

/** One cache's machinery, shared by the cache and the views of its segments. */
export class CacheCore {
  readonly counters: CacheCounters = newCacheCounters();
  readonly events = new CacheEvents();
  readonly keys: CacheKeys;
  readonly memory: MemoryTier | null;
  readonly tags: TagBook;
  readonly loads: Loads;
  readonly engine: CacheEngine;
  /** Evictions of entries under way. */
  readonly evictions = new Unconfirmed();
  readonly deferredEntries: Deferred;
  readonly deferredTags: Deferred;
  readonly #refusals: RefusalLog;
  #epoch: number;

  constructor(readonly options: CacheCoreOptions) {
    const { config, store, clock, coherence } = options;
    const { counters, events } = this;
    const { codec, compressAbove, leaseMs, name } = config;
    this.#refusals = new RefusalLog('CacheModule', `Cache '${name}' works`);
    this.#epoch = coherence?.epoch ?? 0;
    this.keys = new CacheKeys(options.root, name, config.scope, null);
    const memory =
      config.memory === null || coherence === null ? null : new MemoryTier(config.memory, coherence, codec, clock);
    this.memory = memory;
    this.tags = new TagBook({ store, clock, coherence: memory === null ? null : coherence });
    this.deferredEntries = new Deferred((keys) => store.evict(keys), counters);
    this.deferredTags = new Deferred((keys) => this.#invalidateNow(keys), counters);
    const tagCheck = new TagCheck(this.tags, this.deferredTags);
    this.loads = new Loads({
      store,
      tags: this.tags,
      clock,
      codec,
      compressAbove,
      leaseMs,
      counters,
      events,
      evictions: this.evictions,
      handing: (decode) => (memory === null ? decode : memory.handing(decode)),
      onLost: (keys, error) => this.noteLost(keys, error),
    });
    this.engine = new CacheEngine({
      name,
      store,
      memory,
      tagCheck,
      loads: this.loads,
      deferred: this.deferredEntries,
      evictions: this.evictions,
      codec,
      clock,
      leaseMs,
      counters,
      onStoreError: (error) => this.#refusals.note(error),
    });
    coherence?.onEpoch(() => this.#followEpoch(coherence));
  }

  /** A write was lost; what it should have replaced must not be read any more. */
  noteLost(entries: readonly string[], error: unknown): void {
    this.counters.writesLost += entries.length;
    this.noteLate(this.deferredEntries, entries, error);
  }

  /** An eviction was lost, and is to be repeated. */
  noteLate(deferred: Deferred, keys: readonly string[], error: unknown): void {
    this.#refusals.note(error);
    deferred.add(keys);
    // What was read while the attempt was under way is from before.
    for (const key of keys) this.memory?.changed(key);
    this.tags.distrust(keys);
  }

  /** Some key of this cache has changed, by whomever. */
  changed(key: string): void {
    this.memory?.changed(key);
    this.tags.changed(key);
  }

  /** Drops all copies when changes may have been missed. While changes only may be late, they are kept, and bypassed. */
  #followEpoch({ epoch }: Coherence): void {
    if (this.memory === null || epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.memory.clear();
    this.tags.clear();
    this.counters.memoryFlushes += 1;
    this.events.emit({ type: 'memory-flushed' });
  }

  /** How long tokens are kept after an invalidation, at least: longer than any load that was under way may take to be stored. */
  get tagHoldMs(): number {
    const { policy, leaseMs } = this.options.config;
    const ttlMs = typeof policy.ttl === 'number' ? policy.ttl : 0;
    return Math.max(2 * (ttlMs + Math.max(policy.revalidateMs, policy.failSafeMs)), longestLoadMs(leaseMs));
  }

  /** Waits for what is under way, tells the store of what it missed, and ends. */
  async drain(): Promise<void> {
    this.engine.stop();
    await this.loads.drain();
    await Promise.all([this.deferredEntries.stop(), this.deferredTags.stop()]);
    this.options.store.close();
  }

  async #invalidateNow(tagKeys: readonly string[]): Promise<void> {
    const byClock = new Map<string, string[]>();
    for (const key of tagKeys) {
      const clockKey = clockKeyOf(key);
      byClock.set(clockKey, [...(byClock.get(clockKey) ?? []), key]);
    }
    await Promise.all([...byClock].map(([clock, keys]) => this.tags.invalidate(clock, keys, this.tagHoldMs)));
  }
}

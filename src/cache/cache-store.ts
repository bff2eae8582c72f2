import type { RedisConnection } from '../core/redis/redis-connection.js';
import type { Clock } from '../core/time/clock.js';
import type { CacheConfig } from './cache-config.js';
import { newCacheCounters } from './cache-counters.js';
import { readEntry, writeEntry, type ReadEntry } from './cache-entry.js';
import type { ExpiryOptions } from './cache.options.js';
import { cacheFill } from './cache.scripts.gen.js';
import { DeferredEvictions } from './deferred-evictions.js';
import { timeToLiveMs } from './expiry.js';
import { RefusalLog } from './refusal-log.js';

const ABSENT: ReadEntry = { kind: 'absent' };

/** One cache's entries in Redis. Everything that can go wrong with Redis ends here, as an outcome and a counter. */
export class CacheStore {
  readonly counters = newCacheCounters();
  readonly #sendOptions: { readonly deadlineMs: number };
  readonly #deferred: DeferredEvictions;
  /** The fills under way, by entry. */
  readonly #fills = new Map<string, Promise<unknown>>();
  readonly #refusals: RefusalLog;

  constructor(
    private readonly config: CacheConfig,
    private readonly connection: RedisConnection,
    private readonly clock: Clock,
  ) {
    this.#sendOptions = { deadlineMs: config.deadlineMs };
    this.#deferred = new DeferredEvictions(connection, config.deadlineMs, this.counters);
    this.#refusals = new RefusalLog(config.name);
  }

  /** What is under the key. Never rejects. */
  async read(entry: string): Promise<ReadEntry> {
    if (this.#deferred.has(entry)) return ABSENT;
    let bytes: Buffer | null;
    try {
      bytes = await this.connection.get(entry, this.#sendOptions);
    } catch (error) {
      this.counters.readsWithoutRedis += 1;
      this.#refusals.note(error);
      return ABSENT;
    }
    const found = readEntry(this.config.codec, bytes);
    if (found.kind === 'unreadable') this.counters.unreadable += 1;
    return found;
  }

  async load<V>(load: () => V | Promise<V>): Promise<V> {
    this.counters.loads += 1;
    try {
      return await load();
    } catch (error) {
      this.counters.loadFailures += 1;
      throw error;
    }
  }

  encode(value: unknown): string | Buffer {
    return writeEntry(this.config.codec, value);
  }

  /** Stores a loaded value, if the key still holds what the reader saw: nothing, or `seen`. Never rejects; shutdown waits for it. */
  fill(entry: string, value: unknown, options: ExpiryOptions, seen: string | Buffer): Promise<void> {
    const ttlMs = this.#ttlMs(options);
    const bytes = this.#tryEncode(value);
    if (bytes === null || ttlMs === 0 || this.#deferred.has(entry)) return Promise.resolve();
    const filling = this.#fill(entry, { value: bytes, ttlMs, seen });
    const all = Promise.all([this.#fills.get(entry), filling]).finally(() => {
      if (this.#fills.get(entry) === all) this.#fills.delete(entry);
    });
    this.#fills.set(entry, all);
    return filling;
  }

  async write(entry: string, bytes: string | Buffer, options: ExpiryOptions): Promise<boolean> {
    const ttlMs = this.#ttlMs(options);
    if (ttlMs === 0) return this.evict(entry);
    try {
      await this.connection.send('SET', [entry, bytes, 'PX', ttlMs], this.#sendOptions);
      this.#deferred.settled(entry);
      return true;
    } catch (error) {
      this.counters.writesLost += 1;
      this.#refusals.note(error);
      this.#deferred.add(entry);
      return false;
    }
  }

  async evict(entry: string): Promise<boolean> {
    const filling = this.#fills.get(entry);
    const evicted = await this.#unlink(entry);
    if (filling === undefined) return evicted;
    // A fill that was sent before may run after: a server that does not know its script is sent it a second time.
    await filling;
    return this.#unlink(entry);
  }

  async drain(): Promise<void> {
    await Promise.all(this.#fills.values());
    await this.#deferred.stop();
  }

  async #unlink(entry: string): Promise<boolean> {
    try {
      await this.connection.send('UNLINK', [entry], this.#sendOptions);
      this.#deferred.settled(entry);
      return true;
    } catch (error) {
      this.#refusals.note(error);
      this.#deferred.add(entry);
      return false;
    }
  }

  async #fill(entry: string, args: Parameters<typeof cacheFill.encode>[1]): Promise<void> {
    try {
      await this.connection.scripts.run(cacheFill, { entry }, args, this.#sendOptions);
    } catch (error) {
      this.counters.writesLost += 1;
      this.#refusals.note(error);
    }
  }

  /** A value that was loaded is for its caller; that it cannot be kept is no reason to withhold it. */
  #tryEncode(value: unknown): string | Buffer | null {
    try {
      return this.encode(value);
    } catch {
      this.counters.unencodable += 1;
      return null;
    }
  }

  #ttlMs(options: ExpiryOptions): number {
    return timeToLiveMs(this.config, options, this.clock.now(), Math.random);
  }
}

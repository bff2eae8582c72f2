import type { KeySpace } from '../core/keys/key-space.js';
import type { KeyParts } from '../core/keys/key-part.js';
import type { Clock } from '../core/time/clock.js';
import type { RedisConnection } from '../core/redis/redis-connection.js';
import type { CacheCounters } from './cache-counters.js';
import type { CacheConfig } from './cache-config.js';
import type { ExpiryOptions } from './cache.options.js';
import { CacheStore } from './cache-store.js';
import { reportOutcome } from './http/cache-status.js';
import { SingleFlight, type Flight } from './single-flight.js';

/** What identifies an entry: one part, or a list of parts. `42` is not `'42'`; see `encodeKey`. */
export type CacheKey = KeyParts;

/** Produces the value that is to be cached. */
export type Loader<Value> = () => Value | Promise<Value>;

/** How one `getOrSet` keeps what it loads. */
export interface GetOrSetOptions<Value> extends ExpiryOptions {
  /** When it returns true for a loaded value, the value is handed out but not cached. */
  readonly unless?: (value: Value) => boolean;
}

/**
 * A cache of values under keys, kept in Redis.
 *
 * - **Redis is never in the way.** When it is down, hung or refuses, reads are misses and writes are dropped, within `redisDeadline`;
 *   no method rejects for it.
 * - Every value is cached as itself: `null`, `false`, `0` and `''` too. Only `undefined` means "nothing": a loader that gives
 *   `undefined` caches nothing.
 * - Values are to be treated as read-only: callers who wait for the same load are given the same object.
 *
 * Inject a named one with `@InjectCache('products')`, the default one as `CacheService`.
 */
export class Cache<Value = unknown> {
  readonly name: string;
  readonly #keys: KeySpace;
  readonly #store: CacheStore;
  readonly #flights = new SingleFlight<Answer>();

  constructor(config: CacheConfig, connection: RedisConnection, keys: KeySpace, clock: Clock) {
    this.name = config.name;
    this.#keys = keys;
    this.#store = new CacheStore(config, connection, clock);
  }

  /** What this cache counted since the process began. */
  get counters(): CacheCounters {
    return this.#store.counters;
  }

  /**
   * Cache-aside: the cached value, or else the loader's, which is then cached.
   *
   * Concurrent callers of one key in this process share one read and one load, and its failure; the loader's error reaches them as it is. A
   * value that cannot be stored, because Redis refuses or the codec cannot encode it, is returned all the same. The
   * loaded value never overwrites what somebody else wrote under the key meanwhile.
   *
   * Round trips: 1 for a hit. A miss adds one write, for which the caller does not wait; this process is given the value meanwhile.
   */
  async getOrSet<V extends Value>(key: CacheKey, load: Loader<V>, options: GetOrSetOptions<V> = {}): Promise<V> {
    const entry = this.#keys.key(key);
    const { value, hit } = await this.#flights.run(entry, (flight) => this.#readOrLoad(entry, load, options, flight));
    this.#note(hit);
    return value as V;
  }

  /** The cached value, or `undefined`. One round trip, shared with the other reads of the same tick. */
  async get<V extends Value = Value>(key: CacheKey): Promise<V | undefined> {
    const entry = this.#keys.key(key);
    const delivered = this.#flights.delivered(entry);
    const found = delivered === undefined ? await this.#store.read(entry) : delivered.value;
    this.#note('value' in found);
    return 'value' in found ? (found.value as V) : undefined;
  }

  /** The cached values in the order of the keys, `undefined` where there is none. One round trip; on a cluster one per node. */
  getMany<V extends Value = Value>(keys: readonly CacheKey[]): Promise<(V | undefined)[]> {
    return Promise.all(keys.map((key) => this.get<V>(key)));
  }

  /**
   * Stores a value. Resolves with true once Redis has it; with false when Redis could not take it, in which case the entry
   * that was there before is evicted as soon as Redis is back. One round trip.
   *
   * Rejects with `EncodeError` for a value that the codec cannot keep, `undefined` among them.
   */
  async set(key: CacheKey, value: Value, options: ExpiryOptions = {}): Promise<boolean> {
    const entry = this.#keys.key(key);
    const bytes = this.#store.encode(value);
    this.#flights.forget(entry);
    return this.#store.write(entry, bytes, options);
  }

  /** Stores many values: all of them, or none when one cannot be encoded. True when Redis took every one. One round trip; on a cluster one per node. */
  async setMany(entries: Iterable<readonly [CacheKey, Value]>, options: ExpiryOptions = {}): Promise<boolean> {
    const encoded = Array.from(entries, ([key, value]) => [this.#keys.key(key), this.#store.encode(value)] as const);
    const written = encoded.map(([entry, bytes]) => {
      this.#flights.forget(entry);
      return this.#store.write(entry, bytes, options);
    });
    return (await Promise.all(written)).every(Boolean);
  }

  /**
   * Evicts an entry. From this call on, this process serves the old value to no new caller, and a load that is under way does not bring it back.
   *
   * Resolves with true once Redis has confirmed. With false when Redis could not be told: the eviction is then repeated
   * until it is confirmed, and until then this process treats the entry as absent. One round trip.
   */
  async delete(key: CacheKey): Promise<boolean> {
    const entry = this.#keys.key(key);
    this.#flights.forget(entry);
    return this.#store.evict(entry);
  }

  /** Waits for writes under way. For the module's shutdown. */
  drain(): Promise<void> {
    return this.#store.drain();
  }

  async #readOrLoad<V>(
    entry: string,
    load: Loader<V>,
    options: GetOrSetOptions<V>,
    flight: Flight<Answer>,
  ): Promise<Answer> {
    const found = await this.#store.read(entry);
    if (found.kind === 'hit') return { value: found.value, hit: true };
    const value = await this.#store.load(load);
    if (flight.isCurrent && value !== undefined && options.unless?.(value) !== true) {
      const seen = found.kind === 'unreadable' ? found.bytes : '';
      flight.deliver({ value, hit: true }, this.#store.fill(entry, value, options, seen));
    }
    return { value, hit: false };
  }

  /** Each caller counts, also one that shared another's read. */
  #note(hit: boolean): void {
    if (hit) this.counters.hits += 1;
    else this.counters.misses += 1;
    reportOutcome(hit);
  }
}

/** What a flight brings to everyone on board. */
interface Answer {
  readonly value: unknown;
  readonly hit: boolean;
}

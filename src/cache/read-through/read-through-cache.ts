import { ConfigurationError } from '../../core/errors/configuration.error.js';
import type { Cache, CacheKey } from '../cache.js';
import type { GetOrSetOptions, NamedCacheOptions } from '../cache.options.js';
import type { BatchLoader } from '../engine/batch-load.js';

declare const TYPES: unique symbol;

/** How a read-through cache is named and kept. What it leaves out, it takes from `forRoot`. */
export interface ReadThroughOptions<Value> extends NamedCacheOptions<Value>, GetOrSetOptions<Value> {}

/** A named read-through cache together with the types of its keys and values. */
export interface ReadThroughDefinition<Key extends CacheKey, Value> extends ReadThroughOptions<Value> {
  /** For the compiler alone. */
  readonly [TYPES]?: (key: Key, value: Value) => [Key, Value];
}

/** Where the values come from: one at a time, many at once, or both. */
export interface Source<Key, Value> {
  readonly load?: (key: Key) => Value | Promise<Value>;
  readonly loadMany?: BatchLoader<Key, Value>;
}

/**
 * Defines a cache that knows its own source; `CacheModule.forReadThrough` gives it one.
 *
 * ```ts
 * export const PRODUCTS = defineReadThrough<number, Product | null>({ name: 'products', ttl: '10m' });
 * ```
 */
export function defineReadThrough<Key extends CacheKey, Value>(
  options: ReadThroughOptions<Value>,
): ReadThroughDefinition<Key, Value> {
  return options;
}

/**
 * A cache that loads what it does not have: read-through. All guarantees are those of {@link Cache.getOrSet} and {@link Cache.getOrSetMany}.
 *
 * Writing and invalidating goes through {@link cache}, which holds the same entries.
 */
export class ReadThroughCache<Key extends CacheKey, Value> {
  readonly #load: (key: Key) => Value | Promise<Value>;
  readonly #loadMany: BatchLoader<Key, Value>;

  constructor(
    /** The entries themselves: `delete`, `set`, `invalidateTags` and so on. */
    readonly cache: Cache<Value>,
    source: Source<Key, Value>,
    private readonly options: GetOrSetOptions<Value>,
  ) {
    const { load, loadMany } = source;
    if (load === undefined && loadMany === undefined) {
      throw new ConfigurationError(`The read-through cache '${cache.name}' needs a 'load' or a 'loadMany' function.`);
    }
    this.#load = load ?? (async (key) => (await (loadMany as BatchLoader<Key, Value>)([key]))[0] as Value);
    this.#loadMany = loadMany ?? ((keys) => Promise.all(keys.map((key) => this.#load(key))));
  }

  /** The value, from the cache or from the source. */
  get(key: Key): Promise<Value> {
    return this.cache.getOrSet(key, () => this.#load(key), this.options);
  }

  /** The values in the order of the keys: one round trip per node, and one call of the source for all that is missing. `undefined` where the source has none. */
  getMany(keys: readonly Key[]): Promise<(Value | undefined)[]> {
    return this.cache.getOrSetMany(keys, this.#loadMany, this.options);
  }

  /** Loads a value anew and caches it, whatever is there. For `undefined` the entry is evicted. */
  refresh(key: Key): Promise<Value> {
    return this.cache.writeThrough(key, () => this.#load(key), this.options);
  }
}

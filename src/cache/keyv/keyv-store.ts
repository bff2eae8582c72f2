import type { KeyvEntry } from 'keyv';
import type { Duration } from '../../core/time/duration.js';
import type { Cache } from '../cache.js';
import type { ExpiryOptions } from '../cache.options.js';

/** Ten years: a longer TTL is somebody's way to say for ever, and this is as good. */
const LONGEST_TTL_MS = 10 * 365 * 86_400_000;

/**
 * The storage adapter that Keyv asks for: Keyv 5 as it is, Keyv 6 through the bridge that it has for stores with a TTL. Keyv sets the
 * namespace before it reads or writes.
 */
export class KeyvStore {
  /** Keyv's adapters show what they were made with; this one was made with nothing that Keyv could use. */
  readonly opts = {};
  #namespace: string | undefined;
  #view: Cache;

  constructor(private readonly cache: Cache) {
    this.#view = cache;
  }

  get namespace(): string | undefined {
    return this.#namespace;
  }

  set namespace(namespace: string | undefined) {
    this.#namespace = namespace === '' ? undefined : namespace;
    this.#view = this.#namespace === undefined ? this.cache : this.cache.segment(this.#namespace);
  }

  get(key: string): Promise<unknown> {
    return this.#view.get(key);
  }

  getMany(keys: string[]): Promise<unknown[]> {
    return this.#view.getMany(keys);
  }

  async has(key: string): Promise<boolean> {
    return (await this.#view.get(key)) !== undefined;
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    return (await this.#view.getMany(keys)).map((value) => value !== undefined);
  }

  set(key: string, value: unknown, ttlMs?: number): Promise<boolean> {
    return this.#view.set(key, value, expiry(ttlMs));
  }

  /** The cache sends what is written in one tick together. */
  setMany(entries: KeyvEntry[]): Promise<boolean[]> {
    return Promise.all(entries.map(({ key, value, ttl }) => this.set(key, value, ttl)));
  }

  async delete(key: string): Promise<boolean> {
    const existed = await this.has(key);
    const confirmed = await this.#view.delete(key);
    return existed && confirmed;
  }

  /** True when there was something to delete under one of the keys, and all are gone. */
  async deleteMany(keys: string[]): Promise<boolean> {
    const existed = await this.hasMany(keys);
    const confirmed = await this.#view.deleteMany(keys);
    return confirmed && existed.includes(true);
  }

  async clear(): Promise<void> {
    if (this.#namespace === undefined) await this.cache.clear();
    else await this.cache.invalidateSegment(this.#namespace);
  }

  /** The connection belongs to RedisModule, which closes it. */
  async disconnect(): Promise<void> {}

  /** For Keyv's contract alone: what goes wrong with Redis is an outcome, told by the cache's counters and RedisModule's log. */
  on(): this {
    return this;
  }
}

/** A TTL without an end means the same to Keyv as none; one of 0 it turns into none itself. */
function expiry(ttlMs: number | undefined): ExpiryOptions {
  if (ttlMs === undefined || !Number.isFinite(ttlMs)) return {};
  const ttl: Duration = `${Math.min(Math.max(0, Math.ceil(ttlMs)), LONGEST_TTL_MS)}ms`;
  return { ttl };
}

import type { RedisConnection } from '../core/redis/redis-connection.js';
import type { CacheCounters } from './cache-counters.js';

const RETRY_EVERY_MS = 250;
const MOST_WAITING = 100_000;
const MOST_PER_ROUND = 500;

/**
 * Evictions that Redis could not be told of. They are repeated until it confirms them, and until then {@link has} tells readers in this process
 * not to trust the entry. Without this, a value that was changed while Redis was away would be served in its old form when Redis returns.
 *
 * Up to 100,000 keys are remembered, the oldest being given up first. What a process remembers is lost when it dies: the entry's TTL is the last bound.
 */
export class DeferredEvictions {
  /** The keys, oldest first, each with the number of the eviction that asked for it last. */
  readonly #waiting = new Map<string, number>();
  #evictions = 0;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #stopped = false;

  constructor(
    private readonly connection: RedisConnection,
    private readonly deadlineMs: number,
    private readonly counters: CacheCounters,
  ) {}

  has(key: string): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(key);
  }

  add(key: string): void {
    this.#evictions += 1;
    this.#waiting.delete(key);
    this.#waiting.set(key, this.#evictions);
    this.counters.evictionsDeferred += 1;
    if (this.#waiting.size > MOST_WAITING) {
      const oldest = this.#waiting.keys().next();
      if (oldest.done !== true) this.#waiting.delete(oldest.value);
      this.counters.evictionsLost += 1;
    }
    this.#schedule();
  }

  /** Redis has confirmed that the entry is gone, or new. */
  settled(key: string): void {
    if (this.#waiting.size > 0) this.#waiting.delete(key);
  }

  /** Makes one last attempt and forgets the rest. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.#evictSome();
    this.#waiting.clear();
  }

  #schedule(): void {
    if (this.#stopped || this.#timer !== undefined || this.#round !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#round = this.#evictAll().finally(() => {
        this.#round = undefined;
        if (this.#waiting.size > 0) this.#schedule();
      });
    }, RETRY_EVERY_MS);
    this.#timer.unref();
  }

  /** Goes on for as long as Redis confirms what it is sent. */
  async #evictAll(): Promise<void> {
    while ((await this.#evictSome()) && this.#waiting.size > 0);
  }

  /** Returns whether every one of them was confirmed. */
  async #evictSome(): Promise<boolean> {
    const some = [...this.#waiting].slice(0, MOST_PER_ROUND);
    const confirmed = await Promise.all(some.map(([key, eviction]) => this.#evict(key, eviction)));
    return confirmed.every(Boolean);
  }

  async #evict(key: string, eviction: number): Promise<boolean> {
    try {
      await this.connection.send('UNLINK', [key], { deadlineMs: this.deadlineMs });
    } catch {
      return false;
    }
    // An eviction that was asked for meanwhile is not settled by one that was sent before.
    if (this.#waiting.get(key) === eviction) this.#waiting.delete(key);
    return true;
  }
}

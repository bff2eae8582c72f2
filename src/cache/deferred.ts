import type { CacheCounters } from './cache-counters.js';

const RETRY_EVERY_MS = 250;
const MOST_WAITING = 100_000;
const MOST_PER_ROUND = 500;

/**
 * Invalidations that the store could not be told of. They are repeated until it confirms them, and until then {@link has} tells readers in this process
 * not to trust what the key stands for. Without this, a value that was changed while Redis was away would be served in its old form when Redis returns.
 *
 * Up to 100,000 keys are remembered, the oldest being given up first. What a process remembers is lost when it dies: the entry's TTL is the last bound.
 */
export class Deferred {
  /** The keys, oldest first, each with the number of the call that asked for it last. */
  readonly #waiting = new Map<string, number>();
  #calls = 0;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #stopped = false;

  constructor(
    private readonly perform: (keys: readonly string[]) => Promise<void>,
    private readonly counters: CacheCounters,
  ) {}

  has(key: string): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(key);
  }

  add(keys: readonly string[]): void {
    for (const key of keys) {
      this.#calls += 1;
      this.#waiting.delete(key);
      this.#waiting.set(key, this.#calls);
      this.counters.evictionsDeferred += 1;
      if (this.#waiting.size <= MOST_WAITING) continue;
      const oldest = this.#waiting.keys().next();
      if (oldest.done !== true) this.#waiting.delete(oldest.value);
      this.counters.evictionsLost += 1;
    }
    this.#schedule();
  }

  /** The present moment, for {@link settled}: it moves on with every call of {@link add}. */
  get moment(): number {
    return this.#calls;
  }

  /**
   * The store has confirmed what was sent to it at that moment: what the keys stood for then is gone, or new. A key that was added since is not settled, since what it
   * was added for came later.
   */
  settled(keys: readonly string[], moment: number): void {
    if (this.#waiting.size === 0) return;
    for (const key of keys) if ((this.#waiting.get(key) ?? Infinity) <= moment) this.#waiting.delete(key);
  }

  /** Makes one last attempt and forgets the rest. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.#performSome();
    this.#waiting.clear();
  }

  #schedule(): void {
    if (this.#stopped || this.#timer !== undefined || this.#round !== undefined || this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#round = this.#performAll().finally(() => {
        this.#round = undefined;
        this.#schedule();
      });
    }, RETRY_EVERY_MS);
    this.#timer.unref();
  }

  /** Goes on for as long as the store confirms what it is sent. */
  async #performAll(): Promise<void> {
    while (this.#waiting.size > 0 && (await this.#performSome()));
  }

  async #performSome(): Promise<boolean> {
    const some = [...this.#waiting].slice(0, MOST_PER_ROUND);
    if (some.length === 0) return true;
    try {
      await this.perform(some.map(([key]) => key));
    } catch {
      return false;
    }
    // What was asked for again meanwhile is not settled by what was sent before.
    for (const [key, call] of some) if (this.#waiting.get(key) === call) this.#waiting.delete(key);
    return true;
  }
}

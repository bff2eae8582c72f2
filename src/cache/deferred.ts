import type { CacheCounters } from './cache-counters.js';

const RETRY_EVERY_MS = 250;
const MOST_WAITING = 100_000;
const MOST_PER_ROUND = 500;

/** No round begins later than this after the stop. */
const LONGEST_STOP_MS = 2_000;

/** A key, and the number of the call that asked for it last. */
type Waiting = readonly [key: string, call: number];

/**
 * Invalidations that the store could not be told of. They are repeated until it confirms them, and until then {@link has} tells readers in this process
 * not to trust what the key stands for. Without this, a value that was changed while Redis was away would be served in its old form when Redis returns.
 *
 * Each key has its own outcome: those that the store refuses, or that lie on a part of it which is away, hold up no others.
 *
 * Up to 100,000 keys are remembered, the oldest being given up first. What a process remembers is lost when it dies: the entry's TTL is the last bound.
 */
export class Deferred {
  /** The keys, oldest first, each with the number of the call that asked for it last. */
  readonly #waiting = new Map<string, number>();
  /** Where the last round left off. */
  #turn: Iterable<Waiting> = [];
  #calls = 0;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  /** Infinity until it is stopped. */
  #endsAtMs = Infinity;

  /** `perform` tells the store of keys, and rejects when it could not tell it of all of them. */
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

  /**
   * Tells the store of everything that waits once more, and gives up what it does not confirm, which is counted. No round begins later than two seconds
   * from now.
   */
  async stop(): Promise<void> {
    this.#endsAtMs = performance.now() + LONGEST_STOP_MS;
    clearTimeout(this.#timer);
    await this.#round;
    await this.#performAll();
    this.counters.evictionsLost += this.#waiting.size;
    this.#waiting.clear();
  }

  #schedule(): void {
    if (this.#isStopped || this.#timer !== undefined || this.#round !== undefined || this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#round = this.#performAll().finally(() => {
        this.#round = undefined;
        this.#schedule();
      });
    }, RETRY_EVERY_MS);
    this.#timer.unref();
  }

  get #isStopped(): boolean {
    return this.#endsAtMs !== Infinity;
  }

  /** Goes through all that waits, once; after a round of which the store confirms nothing only for the last time, since it is probably away. */
  async #performAll(): Promise<void> {
    for (let left = this.#waiting.size; left > 0 && performance.now() < this.#endsAtMs;) {
      const some = this.#next();
      if (some.length === 0) return;
      const isHeard = await this.#performSome(some);
      if (!isHeard && !this.#isStopped) return;
      left -= some.length;
    }
  }

  /** The keys whose turn it is: every key has one before any has its next, however many fail. */
  #next(): Waiting[] {
    const some = take(this.#turn);
    if (some.length > 0) return some;
    this.#turn = this.#waiting.entries();
    return take(this.#turn);
  }

  /** Returns whether the store confirmed any of them. All together, which is how most come back; else one by one, to find out which ones it can be told of. */
  async #performSome(some: readonly Waiting[]): Promise<boolean> {
    if (await this.#perform(some)) return true;
    if (some.length === 1) return false;
    const each = await Promise.all(some.map((one) => this.#perform([one])));
    return each.includes(true);
  }

  async #perform(some: readonly Waiting[]): Promise<boolean> {
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

/** The next ones of a round. A map's iterator that is asked again goes on where it was, past what was deleted and on to what was added. */
function take(turn: Iterable<Waiting>): Waiting[] {
  const some: Waiting[] = [];
  for (const one of turn) if (some.push(one) === MOST_PER_ROUND) break;
  return some;
}

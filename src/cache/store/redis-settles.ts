import type { RedisConnection, SendOptions } from '../../core/redis/redis-connection.js';
import { cacheSettle } from '../cache.scripts.gen.js';
import { TickBatcher } from './tick-batcher.js';

/** Longer values are not sent to everybody who listens, whether he waits for this entry or another. */
const MOST_CARRIED_BYTES = 4_096;

/** One end of a load of this tick. */
class Settle {
  constructor(
    readonly entry: string,
    readonly marker: string,
    readonly outcome: string | Buffer,
    readonly ttlMs: number,
    readonly resolve: (isSettled: boolean) => void,
    readonly reject: (error: unknown) => void,
  ) {}

  /** As the script takes it. Not a literal: V8 may come to allocate those among the old objects, where they keep hold of the outcome. */
  get row(): readonly [marker: string, outcome: string | Buffer, ttlMs: number] {
    return Array.of<unknown>(this.marker, this.outcome, this.ttlMs) as [string, string | Buffer, number];
  }
}

/**
 * Puts outcomes in the place of leases, those of one tick in one script per slot. They leave behind what their callers read next, so that the server answers that first.
 * Urgent ones, for which others wait, in this process and so perhaps in others, leave ahead of it; the first of a turn of the event loop at once.
 */
export class RedisSettles {
  readonly #batches: TickBatcher<Settle>;
  #isFirst = true;

  constructor(
    private readonly connection: RedisConnection,
    private readonly channel: string,
    private readonly options: SendOptions,
  ) {
    this.#batches = new TickBatcher<Settle>(
      ({ entry }) => connection.groupOf(entry),
      (settles) => void this.#send(settles),
    );
  }

  settle(entry: string, marker: string, outcome: string | Buffer, ttlMs: number, isUrgent: boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const settle = new Settle(entry, marker, outcome, ttlMs, resolve, reject);
      if (!isUrgent) process.nextTick(this.#addLater, settle);
      else if (this.#isFirst) void this.#sendFirst(settle);
      else this.#batches.add(settle);
    });
  }

  readonly #addLater = (settle: Settle): void => this.#batches.add(settle);

  #sendFirst(settle: Settle): Promise<void> {
    this.#isFirst = false;
    setImmediate(() => (this.#isFirst = true));
    return this.#send([settle]);
  }

  async #send(settles: readonly Settle[]): Promise<void> {
    const keys = { entries: settles.map(({ entry }) => entry) };
    const outcomes = settles.map(({ row }) => row);
    const args = { channel: this.channel, carried: MOST_CARRIED_BYTES, outcomes };
    try {
      const settled = await this.connection.scripts.run(cacheSettle, keys, args, this.options);
      settles.forEach(({ resolve }, i) => resolve(settled[i] === 1));
    } catch (error) {
      for (const { reject } of settles) reject(error);
    }
  }
}

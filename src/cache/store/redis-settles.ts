import type { RedisConnection, SendOptions } from '../../core/redis/redis-connection.js';
import { cacheSettle } from '../cache.scripts.gen.js';
import { TickBatcher } from './tick-batcher.js';

/** Longer values are not sent to everybody who listens, whether he waits for this entry or another. */
const MOST_CARRIED_BYTES = 4_096;

/** One end of a load of this tick. */
interface Settle {
  readonly entry: string;
  readonly marker: string;
  readonly outcome: string | Buffer;
  readonly ttlMs: number;
  readonly resolve: (isSettled: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Puts outcomes in the place of leases: those of one tick in one script per slot. */
export class RedisSettles {
  readonly #batches: TickBatcher<Settle>;

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

  settle(entry: string, marker: string, outcome: string | Buffer, ttlMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#batches.add({ entry, marker, outcome, ttlMs, resolve, reject });
    });
  }

  async #send(settles: readonly Settle[]): Promise<void> {
    const keys = { entries: settles.map(({ entry }) => entry) };
    const outcomes = settles.map(({ marker, outcome, ttlMs }) => [marker, outcome, ttlMs] as const);
    const args = { channel: this.channel, carried: MOST_CARRIED_BYTES, outcomes };
    try {
      const settled = await this.connection.scripts.run(cacheSettle, keys, args, this.options);
      settles.forEach(({ resolve }, i) => resolve(settled[i] === 1));
    } catch (error) {
      for (const { reject } of settles) reject(error);
    }
  }
}

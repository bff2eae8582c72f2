import { RedisReplyError, RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { RedisConnection, SendOptions } from '../../core/redis/redis-connection.js';
import { cacheClaim } from '../cache.scripts.gen.js';
import { LEASE } from '../entry/entry-format.js';
import type { Claimed } from './entry-store.js';
import { Recent } from './recent.js';
import { TickBatcher } from './tick-batcher.js';

/** Larger entries, on average, are asked for one by one: a script copies each once more, which then costs more than a command does. */
const LARGE_BYTES = 2_048;

/** Entries that are remembered to have been there. */
const MOST_SEEN = 10_000;

/** Weight of the newest reply in the running average of sizes. */
const NEWEST = 1 / 32;

/** Who waits for a claim. */
interface Waiting {
  readonly resolve: (claimed: Claimed) => void;
  readonly reject: (error: unknown) => void;
}

/** One read of this tick. */
class Claim implements Waiting {
  /** Others who ask for the same entry in this tick. */
  readonly followers: Waiting[] = [];

  constructor(
    readonly entry: string,
    readonly marker: string,
    readonly leaseMs: number,
    readonly resolve: Waiting['resolve'],
    readonly reject: Waiting['reject'],
  ) {}
}

/**
 * Reads entries and takes the leases of those that are absent: the reads of one tick in one script per slot, equal ones once. What was there lately is only
 * read; if it is gone, its lease is asked for in a second trip.
 */
export class RedisClaims {
  readonly #batches: TickBatcher<Claim>;
  /** The claims of this tick, made anew each tick. */
  #asked: Map<string, Claim> | null = null;
  readonly #seen = new Recent(MOST_SEEN);
  #averageBytes = 0;

  constructor(
    private readonly connection: RedisConnection,
    private readonly options: SendOptions,
  ) {
    this.#batches = new TickBatcher<Claim>(
      ({ entry }) => connection.groupOf(entry),
      (claims) => void this.#send(claims),
    );
  }

  claim(entry: string, marker: string, leaseMs: number): Promise<Claimed> {
    return new Promise((resolve, reject) => {
      this.#asked ??= new Map();
      const asked = this.#asked.get(entry);
      if (asked !== undefined) {
        asked.followers.push({ resolve, reject });
        return;
      }
      const claim = new Claim(entry, marker, leaseMs, resolve, reject);
      this.#asked.set(entry, claim);
      this.#batches.add(claim);
    });
  }

  async #send(claims: readonly Claim[]): Promise<void> {
    this.#asked = null;
    const unseen = claims.filter((claim) => !this.#readIfSeen(claim));
    if (unseen.length <= 1 || this.#averageBytes > LARGE_BYTES) {
      for (const claim of unseen) void this.#sendOne(claim);
      return;
    }
    const keys = { entries: unseen.map(({ entry }) => entry) };
    const leases = unseen.map(({ marker, leaseMs }) => [marker, leaseMs] as const);
    try {
      const found = await this.connection.scripts.run(cacheClaim, keys, { leases }, this.options);
      unseen.forEach((claim, i) => this.#answer(claim, found[i] ?? null));
    } catch (error) {
      for (const claim of unseen) this.#fail(claim, error);
    }
  }

  /** What was there a moment ago is only read, together with the other reads of the tick: that costs less, as long as it is still there. */
  #readIfSeen(claim: Claim): boolean {
    const { entry } = claim;
    if (!this.#seen.has(entry)) return false;
    this.connection.get(entry, this.options).then(
      (held) => {
        if (held !== null) {
          this.#answer(claim, held);
          return;
        }
        this.#seen.delete(entry);
        void this.#sendOne(claim);
      },
      (error: unknown) => this.#fail(claim, error),
    );
    return true;
  }

  async #sendOne(claim: Claim): Promise<void> {
    const { entry, marker, leaseMs } = claim;
    try {
      const args = [entry, marker, 'NX', 'GET', 'PX', leaseMs];
      this.#answer(claim, (await this.connection.send('SET', args, this.options)) as Buffer | null);
    } catch (error) {
      this.#fail(claim, error);
    }
  }

  #answer(claim: Claim, held: Buffer | null): void {
    if (held?.length === 0) {
      void this.#readInstead(claim);
      return;
    }
    if (held !== null && held[0] !== LEASE) this.#seen.add(claim.entry);
    this.#averageBytes += ((held?.length ?? 0) - this.#averageBytes) * NEWEST;
    claim.resolve(held);
    // To the others the lease is taken already.
    for (const { resolve } of claim.followers) resolve(held ?? Buffer.from(claim.marker));
  }

  #fail(claim: Claim, error: unknown): void {
    if (mayBeReadable(error)) void this.#readInstead(claim);
    else for (const { reject } of [claim, ...claim.followers]) reject(error);
  }

  /** A server that takes no writes may still be read: it is out of memory, say. */
  async #readInstead(claim: Claim): Promise<void> {
    const everybody = [claim, ...claim.followers];
    try {
      const held = (await this.connection.get(claim.entry, this.options)) ?? undefined;
      for (const { resolve } of everybody) resolve(held);
    } catch (error) {
      for (const { reject } of everybody) reject(error);
    }
  }
}

function mayBeReadable(error: unknown): boolean {
  return (
    error instanceof RedisReplyError || (error instanceof RedisUnavailableError && error.reason === 'writes-refused')
  );
}

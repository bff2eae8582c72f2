import { RedisReplyError, RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { RedisConnection, SendOptions } from '../../core/redis/redis-connection.js';
import { cacheClaim, cacheTakeLeases } from '../cache.scripts.gen.js';
import type { Claimed } from './entry-store.js';
import { TickBatcher } from './tick-batcher.js';

/** Larger entries, on average, are read by a command of their own: a script would copy each once more. */
const LARGE_BYTES = 2_048;

/** Weight of the newest reply in the running average of sizes. */
const NEWEST = 1 / 32;

/** Who waits for a claim. */
interface Waiting {
  readonly resolve: (claimed: Claimed) => void;
  readonly reject: (error: unknown) => void;
}

/** One read of this tick. */
interface Claim extends Waiting {
  readonly entry: string;
  readonly marker: string;
  readonly leaseMs: number;
  /** Others who ask for the same entry in this tick. */
  readonly followers: Waiting[];
}

/** Reads entries and takes the leases of those that are absent: the reads of one tick in one script per slot, equal ones once. */
export class RedisClaims {
  readonly #batches: TickBatcher<Claim>;
  /** The claims of this tick, made anew each tick. */
  #asked: Map<string, Claim> | null = null;
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
      const claim = { entry, marker, leaseMs, resolve, reject, followers: [] };
      this.#asked.set(entry, claim);
      this.#batches.add(claim);
    });
  }

  async #send(claims: readonly Claim[]): Promise<void> {
    this.#asked = null;
    const [only] = claims as readonly [Claim];
    if (claims.length === 1) {
      void this.#sendOne(only);
      return;
    }
    const keys = { entries: claims.map(({ entry }) => entry) };
    const leases = claims.map(({ marker, leaseMs }) => [marker, leaseMs] as const);
    if (this.#averageBytes > LARGE_BYTES) {
      const taking = this.connection.scripts.run(cacheTakeLeases, keys, { leases }, this.options);
      taking.catch(ignoreSinceTheReadsTell);
      claims.forEach((claim, i) => void this.#readAfter(taking, claim, i));
      return;
    }
    try {
      const found = await this.connection.scripts.run(cacheClaim, keys, { leases }, this.options);
      claims.forEach((claim, i) => this.#answer(claim, found[i] ?? null));
    } catch (error) {
      for (const claim of claims) this.#fail(claim, error);
    }
  }

  /** The read goes the same way as the taking of the leases, behind it, and so finds a lease that was taken; unless the server is sent the script anew. */
  async #readAfter(taking: Promise<readonly number[]>, claim: Claim, index: number): Promise<void> {
    try {
      const held = await this.connection.get(claim.entry, this.options);
      if (held !== null) this.#answer(claim, isMarker(held, claim.marker) ? null : held);
      else if ((await taking)[index] === 1) this.#answer(claim, null);
      else void this.#sendOne(claim);
    } catch (error) {
      this.#fail(claim, error);
    }
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

/** But for the last byte, which says whether somebody waits. */
function isMarker(held: Buffer, marker: string): boolean {
  return held.length === marker.length && held.toString('latin1', 0, held.length - 1) === marker.slice(0, -1);
}

function ignoreSinceTheReadsTell(): void {
  // Those that find something need no lease.
}

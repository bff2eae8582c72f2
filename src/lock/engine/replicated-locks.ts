import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { BlockingConnection } from '../../core/redis/clients/blocking-connection.js';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import { ScriptRunner } from '../../core/scripts/script-runner.js';
import type { Clock } from '../../core/time/clock.js';
import { lockTurn } from '../lock.scripts.gen.js';
import type { LockKeys } from './lock-keys.js';
import { Granted, type LockServers, type Refused } from './lock-servers.js';
import { readAnswer, RedisLocks } from './redis-locks.js';

/** A server may be asked to wait for so long at most. */
const LONGEST_WAIT_MS = 1_000;

/** One that asks. */
interface Asking {
  readonly keys: LockKeys;
  readonly claim: string;
  readonly ttlMs: number;
  readonly ticket: number;
  readonly resolve: (answer: Granted | Refused) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Locks on one primary, of which a grant counts only when so many replicas have it: a replica that takes over then knows of it, if it is one of them.
 *
 * Grants go over a connection of their own, since `WAIT` holds up whatever comes after it. Those that gather meanwhile share the next `WAIT`.
 */
export class ReplicatedLocks implements LockServers {
  readonly #plain: RedisLocks;
  readonly #waitMs: number;
  readonly #pending: Asking[] = [];
  #own: { readonly connection: BlockingConnection; readonly scripts: ScriptRunner } | undefined;
  #isBusy = false;

  constructor(
    private readonly connection: RedisConnection,
    private readonly clock: Clock,
    deadlineMs: number,
    private readonly replicas: number,
  ) {
    this.#plain = new RedisLocks(connection, clock, deadlineMs);
    this.#waitMs = Math.min(deadlineMs, LONGEST_WAIT_MS);
  }

  /** One after the other, so that there is one place that waits for replicas. */
  isOneStep(): boolean {
    return false;
  }

  askAll(): Promise<Granted | null> {
    return Promise.resolve(null);
  }

  ask(keys: LockKeys, claim: string, ttlMs: number, ticket: number): Promise<Granted | Refused> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ keys, claim, ttlMs, ticket, resolve, reject });
      if (!this.#isBusy) void this.#drain();
    });
  }

  extend(keys: readonly LockKeys[], claim: string, ttlMs: number, fence: number): Promise<boolean> {
    return this.#plain.extend(keys, claim, ttlMs, fence);
  }

  leave(keys: readonly LockKeys[], claim: string): Promise<boolean> {
    return this.#plain.leave(keys, claim);
  }

  clear(keys: LockKeys): Promise<number> {
    return this.#plain.clear(keys);
  }

  async #drain(): Promise<void> {
    this.#isBusy = true;
    while (this.#pending.length > 0) await this.#answer(this.#pending.splice(0));
    this.#isBusy = false;
  }

  async #answer(askings: readonly Asking[]): Promise<void> {
    const granted: (readonly [Asking, Granted])[] = [];
    for (const asking of askings) {
      try {
        const answer = await this.#ask(asking);
        if (answer instanceof Granted) granted.push([asking, answer]);
        else asking.resolve(answer);
      } catch (error) {
        asking.reject(error);
      }
    }
    if (granted.length === 0) return;
    try {
      await this.#untilReplicated();
      for (const [{ resolve }, answer] of granted) resolve(answer);
    } catch (error) {
      for (const [{ reject }] of granted) reject(error);
    }
  }

  async #ask({ keys, claim, ttlMs, ticket }: Asking): Promise<Granted | Refused> {
    const sentMs = this.clock.monotonicMs();
    return readAnswer(
      await this.#link().scripts.run(lockTurn, keys, { claim, ttlMs: String(ttlMs), ticket: String(ticket) }),
      sentMs,
    );
  }

  async #untilReplicated(): Promise<void> {
    const { connection } = this.#link();
    const count = await connection.run('WAIT', [this.replicas, this.#waitMs], this.#waitMs);
    if (Number(count) >= this.replicas) return;
    throw new RedisUnavailableError('writes-refused', {
      connection: this.connection.name,
      mayHaveRun: true,
      cause: new Error(`${String(count)} of ${this.replicas} replicas have the grant.`),
    });
  }

  #link(): { readonly connection: BlockingConnection; readonly scripts: ScriptRunner } {
    if (this.#own === undefined) {
      const connection = this.connection.blocking('');
      const scripts = new ScriptRunner({ send: (command, args) => connection.run(command, args, this.#waitMs) });
      this.#own = { connection, scripts };
    }
    return this.#own;
  }
}

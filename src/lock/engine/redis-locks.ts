import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { ScriptRunner } from '../../core/scripts/script-runner.js';
import type { ScriptSendOptions } from '../../core/scripts/script-transport.js';
import type { Clock } from '../../core/time/clock.js';
import { lockExtend, lockTakeAll, lockTurn } from '../lock.scripts.gen.js';
import type { LockKeys } from './lock-keys.js';
import { fenceText, Granted, NO_QUEUE, Refused, type LockServers } from './lock-servers.js';

const LEAVES = '0';
const EVERYBODY = '';

/** Locks on one server, on one that replicas follow, or on a cluster. Each method is one round trip, but for several locks of several slots. */
export class RedisLocks implements LockServers {
  readonly grantsByWaking = true;
  readonly #send: ScriptSendOptions;

  constructor(
    private readonly connection: Pick<RedisConnection, 'groupOf'>,
    private readonly scripts: ScriptRunner,
    private readonly clock: Clock,
    deadlineMs: number,
  ) {
    this.#send = { deadlineMs };
  }

  isOneStep(keys: readonly LockKeys[]): boolean {
    const groups = new Set(keys.map(({ lock }) => this.connection.groupOf(lock)));
    return groups.size === 1;
  }

  async ask(keys: LockKeys, claim: string, ttlMs: number, ticket: number): Promise<Granted | Refused> {
    const sentMs = this.clock.monotonicMs();
    const reply = await this.scripts.run(
      lockTurn,
      keys,
      { claim, ttlMs: String(ttlMs), ticket: String(ticket) },
      this.#send,
    );
    return typeof reply === 'number' ? new Granted(reply, sentMs, ttlMs) : new Refused(...reply);
  }

  async askAll(keys: readonly LockKeys[], claim: string, ttlMs: number): Promise<Granted | null> {
    const sentMs = this.clock.monotonicMs();
    const locks = keys.map(({ lock }) => lock);
    const fence = await this.scripts.run(lockTakeAll, { locks }, { claim, ttlMs }, this.#send);
    return fence === 0 ? null : new Granted(fence, sentMs, ttlMs);
  }

  async extend(keys: readonly LockKeys[], claim: string, ttlMs: number, fence: number): Promise<boolean> {
    const args = { claim, ttlMs, fence: fenceText(fence) };
    const [first] = keys;
    if (keys.length === 1 && first !== undefined) {
      return (await this.scripts.run(lockExtend, first, args, this.#send)) === 1;
    }
    const calls = keys.map((one) => ({ keys: one, args }));
    const replies = await this.scripts.runMany(lockExtend, calls, this.#send);
    return replies.every((reply) => reply === 1);
  }

  async leave(keys: readonly LockKeys[], claim: string): Promise<boolean> {
    const args = { claim, ttlMs: LEAVES, ticket: String(NO_QUEUE) };
    const [first] = keys;
    if (keys.length === 1 && first !== undefined) {
      return (await this.scripts.run(lockTurn, first, args, this.#send)) === 1;
    }
    const calls = keys.map((one) => ({ keys: one, args }));
    const replies = await this.scripts.runMany(lockTurn, calls, this.#send);
    return replies.every((left) => left === 1);
  }

  async clear(keys: LockKeys): Promise<number> {
    const args = { claim: EVERYBODY, ttlMs: LEAVES, ticket: String(NO_QUEUE) };
    return Number(await this.scripts.run(lockTurn, keys, args, this.#send));
  }

  async close(): Promise<void> {
    // Its connection is everybody's.
  }
}

/** Whether the command may have had an effect that nobody was told of. */
export function mayHaveRun(error: unknown): boolean {
  return !(error instanceof RedisUnavailableError) || error.mayHaveRun;
}

import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { BlockingConnection } from '../../core/redis/clients/blocking-connection.js';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import { ScriptRunner } from '../../core/scripts/script-runner.js';
import type { Clock } from '../../core/time/clock.js';
import type { LockKeys } from './lock-keys.js';
import { Granted, type LockServers, type Refused } from './lock-servers.js';
import { RedisLocks } from './redis-locks.js';

/** A server may be asked to wait for so long at most. */
const LONGEST_WAIT_MS = 1_000;

/** Something that counts only once replicas have it. */
interface Task {
  /** Asks Redis. Resolves with whether replicas have to be waited for. */
  readonly run: () => Promise<boolean>;
  readonly succeed: () => void;
  readonly fail: (error: Error) => void;
}

/**
 * Locks on one primary, where a grant or a longer lease counts only when so many replicas have it: one of them that takes over then knows of it.
 *
 * Grants and leases go over a connection of their own, since `WAIT` holds up whatever comes after it, and speaks for its own connection alone. Those that gather
 * meanwhile share the next `WAIT`.
 */
export class ReplicatedLocks implements LockServers {
  /** A grant counts only once replicas have it. */
  readonly grantsByWaking = false;
  readonly #plain: RedisLocks;
  readonly #waitMs: number;
  readonly #tasks: Task[] = [];
  #link: { readonly connection: BlockingConnection; readonly locks: RedisLocks } | undefined;
  #isBusy = false;

  constructor(
    private readonly connection: RedisConnection,
    private readonly clock: Clock,
    private readonly deadlineMs: number,
    private readonly replicas: number,
  ) {
    this.#plain = new RedisLocks(connection, connection.scripts, clock, deadlineMs);
    // So that it is known before the deadline that replicas are missing.
    this.#waitMs = Math.max(1, Math.min(Math.floor(deadlineMs * 0.8), LONGEST_WAIT_MS));
  }

  /** One after the other, so that there is one place that waits for replicas. */
  isOneStep(): boolean {
    return false;
  }

  askAll(): Promise<Granted | null> {
    return Promise.resolve(null);
  }

  ask(keys: LockKeys, claim: string, ttlMs: number, ticket: number): Promise<Granted | Refused> {
    return this.#replicated(
      () => this.#locks.ask(keys, claim, ttlMs, ticket),
      (answer) => answer instanceof Granted,
      () => void this.#plain.leave([keys], claim).catch(ignoreSinceTheLeaseEnds),
    );
  }

  extend(keys: readonly LockKeys[], claim: string, ttlMs: number, fence: number): Promise<boolean> {
    return this.#replicated(
      () => this.#locks.extend(keys, claim, ttlMs, fence),
      (isProlonged) => isProlonged,
    );
  }

  leave(keys: readonly LockKeys[], claim: string): Promise<boolean> {
    return this.#plain.leave(keys, claim);
  }

  clear(keys: LockKeys): Promise<number> {
    return this.#plain.clear(keys);
  }

  async close(): Promise<void> {
    this.#link?.connection.close();
  }

  get #locks(): RedisLocks {
    return this.#own().locks;
  }

  #own(): { readonly connection: BlockingConnection; readonly locks: RedisLocks } {
    if (this.#link === undefined) {
      const connection = this.connection.blocking('');
      const scripts = new ScriptRunner({ send: (command, args) => connection.run(command, args, this.#waitMs) });
      this.#link = { connection, locks: new RedisLocks(this.connection, scripts, this.clock, this.deadlineMs) };
    }
    return this.#link;
  }

  /** Within the deadline in any case. What comes of it later nobody hears: `undo` is for that. */
  #replicated<Answer>(
    ask: () => Promise<Answer>,
    counts: (answer: Answer) => boolean,
    undo: () => void = () => undefined,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let isWaitedFor = true;
      const cancel = this.clock.setTimeout(() => {
        isWaitedFor = false;
        reject(this.#unavailable('deadline'));
      }, this.deadlineMs);
      let answer: Answer;
      this.#tasks.push({
        run: async () => {
          if (!isWaitedFor) return false;
          answer = await ask();
          if (!isWaitedFor && counts(answer)) undo();
          return isWaitedFor && counts(answer);
        },
        succeed: () => {
          cancel();
          resolve(answer);
        },
        fail: (error) => {
          cancel();
          reject(error);
        },
      });
      if (!this.#isBusy) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#isBusy = true;
    while (this.#tasks.length > 0) await this.#runAll(this.#tasks.splice(0));
    this.#isBusy = false;
  }

  async #runAll(tasks: readonly Task[]): Promise<void> {
    const { connection } = this.#own();
    const counting: { readonly task: Task; readonly epoch: number }[] = [];
    for (const task of tasks) {
      try {
        if (await task.run()) counting.push({ task, epoch: connection.epoch });
        else task.succeed();
      } catch (error) {
        task.fail(error as Error);
      }
    }
    if (counting.length === 0) return;
    const error = await this.#untilReplicated(connection);
    for (const { task, epoch } of counting) {
      // What was written over an earlier connection, perhaps to an earlier primary, is not what the server has waited for.
      if (error === null && epoch === connection.epoch) task.succeed();
      else task.fail(error ?? this.#unavailable('connection-lost'));
    }
  }

  async #untilReplicated(connection: BlockingConnection): Promise<Error | null> {
    try {
      const count = Number(await connection.run('WAIT', [this.replicas, this.#waitMs], this.#waitMs));
      if (count >= this.replicas) return null;
      return this.#unavailable('writes-refused', new Error(`${count} of ${this.replicas} replicas have it.`));
    } catch (error) {
      return error as Error;
    }
  }

  #unavailable(reason: 'deadline' | 'connection-lost' | 'writes-refused', cause?: Error): RedisUnavailableError {
    return new RedisUnavailableError(reason, { connection: this.connection.name, mayHaveRun: true, cause });
  }
}

function ignoreSinceTheLeaseEnds(): void {
  // Others wait for as long as it lasts.
}

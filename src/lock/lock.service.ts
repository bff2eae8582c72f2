import { Injectable, Logger } from '@nestjs/common';
import type { KeyParts } from '../core/keys/key-part.js';
import type { Cancel } from '../core/time/clock.js';
import { Denied } from './engine/locker.js';
import { LockRequest } from './engine/lock-request.js';
import { HeldHere, heldHere, SharedHold } from './held-here.js';
import type { LockCounters } from './lock-counters.js';
import { LockHandle } from './lock-handle.js';
import { readState, type LockState } from './lock-state.js';
import { LockNotAcquiredError, LockUsageError } from './lock.errors.js';
import type { LockEventListener } from './lock.events.js';
import type { LockName } from './lock-name.js';
import type { LockOptions, UsingOptions } from './lock.options.js';
import { LockRuntime } from './lock.runtime.js';
import { lockInspect } from './lock.scripts.gen.js';

/** The lock is held by others. */
export interface LockRefusal {
  readonly acquired: false;
  /** When a lease on it ends, unless it is prolonged. */
  readonly retryAfterMs: number;
}

/** A function that runs while it holds a lock. */
export type LockedWork<Result> = (lock: LockHandle) => Promise<Result> | Result;

/**
 * Locks that all processes of an application share.
 *
 * - At most one has a lock (or as many readers, or permits, as its options say), as far as a lease can promise that; {@link LockHandle.fence} is for the rest.
 * - First come, first served. A release hands the lock over in the same step, and wakes the next one; nobody polls.
 * - While Redis is away nothing is granted: every method rejects with `RedisUnavailableError` within `redisDeadline`.
 *
 * Acquiring is one round trip, and so is a release. After a wait of more than 0.2 seconds, or on a Cluster, there is a third, which nobody waits for.
 */
@Injectable()
export class LockService {
  readonly #logger = new Logger('LockModule');
  readonly #runtime: LockRuntime;

  constructor(runtime: LockRuntime) {
    this.#runtime = runtime;
  }

  get counters(): Readonly<LockCounters> {
    return this.#runtime.counters;
  }

  /**
   * Runs `work` while it holds the lock, which is prolonged meanwhile and given back in the end.
   *
   * Resolves with what `work` resolves with, if the lock was held until then. Rejects with `LockNotAcquiredError`, `LockLostError` when it was lost meanwhile,
   * `LockUsageError`, `RedisUnavailableError`, the reason of the caller's signal, and what `work` rejects with.
   */
  using<Result>(name: LockName, work: LockedWork<Result>): Promise<Result>;
  using<Result>(name: LockName, options: UsingOptions, work: LockedWork<Result>): Promise<Result>;
  async using<Result>(
    name: LockName,
    ...rest: readonly [LockedWork<Result>] | readonly [UsingOptions, LockedWork<Result>]
  ): Promise<Result> {
    const [options, work] = rest.length === 1 ? [{}, rest[0]] : rest;
    if (options.reentrant === true) return this.#usingAgain(name, options, work);
    const handle = await this.acquire(name, options);
    return this.#run(
      handle,
      () => work(handle),
      () => handle.release(),
    );
  }

  /**
   * Takes the lock; whoever called gives it back, by `release` or `await using`. It is prolonged until then.
   *
   * Rejects with `LockNotAcquiredError` when others have it for longer than `wait`, with `LockUsageError`, `RedisUnavailableError` and the reason of the caller's
   * signal.
   */
  async acquire(name: LockName, options: LockOptions = {}): Promise<LockHandle> {
    const { keys, config, locker } = this.#runtime;
    const taken = await locker.take(name, keys.of(name), new LockRequest(options, config));
    if (taken instanceof Denied) throw new LockNotAcquiredError(taken.waitedMs, taken.retryAfterMs);
    return new LockHandle(taken, locker);
  }

  /** Takes the lock when it is free and nobody waits for it. Never waits. Rejects with `LockUsageError` and `RedisUnavailableError`. One round trip. */
  async tryAcquire(name: LockName, options: Omit<LockOptions, 'wait'> = {}): Promise<LockHandle | LockRefusal> {
    const { keys, config, locker } = this.#runtime;
    const taken = await locker.take(name, keys.of(name), new LockRequest({ ...options, wait: '0ms' }, config));
    if (taken instanceof Denied) return { acquired: false, retryAfterMs: taken.retryAfterMs };
    return new LockHandle(taken, locker);
  }

  /** What is to be seen of a lock now. Nothing is changed. One round trip. Not in quorum mode, whose servers may differ. */
  async inspect(name: KeyParts): Promise<LockState> {
    const { keys, config } = this.#runtime;
    const { scripts } = this.#runtime.oneRedis('inspect');
    return readState(await scripts.run(lockInspect, keys.one(name), {}, { deadlineMs: config.deadlineMs }));
  }

  /**
   * Takes the lock away from all who have it, and hands it over to who waits for it. For people who know that a holder is dead, or must be stopped. A holder that lives
   * learns of it when it next prolongs its lease; until then nothing but the fence keeps it out.
   *
   * Resolves with how many had it. Each call is told of as event `released-by-force` and logged with its reason; the lock's name is not.
   */
  async forceRelease(name: KeyParts, { reason }: { readonly reason: string }): Promise<number> {
    const { keys, servers, events, counters, clock } = this.#runtime;
    const holders = await servers.clear(keys.one(name));
    counters.releasedByForce += holders;
    this.#logger.warn(`A lock was released by force, of ${holders} holders: ${reason}`);
    events.emit({ type: 'released-by-force', name, reason, holders, atMs: clock.now() });
    return holders;
  }

  /** Calls `listener` with what happens to locks in this process. */
  on(listener: LockEventListener): Cancel {
    return this.#runtime.events.on(listener);
  }

  /** Runs it, lets go of the lock, and rejects when the lock was lost before that. */
  async #run<Result>(
    handle: LockHandle,
    work: () => Promise<Result> | Result,
    letGo: () => Promise<unknown>,
  ): Promise<Result> {
    const { works } = this.#runtime;
    works.begin();
    try {
      const result = await work();
      await letGo();
      handle.throwIfLost();
      return result;
    } catch (error) {
      // What the work failed with says more than what the release may fail with.
      await letGo().catch(() => undefined);
      throw error;
    } finally {
      works.end();
    }
  }

  async #usingAgain<Result>(name: LockName, options: UsingOptions, work: LockedWork<Result>): Promise<Result> {
    if (options.limit !== undefined)
      throw new LockUsageError('Permits are not reentrant: leave reentrant or limit out.');
    const keys = this.#runtime.keys.of(name);
    const outer = heldHere.getStore();
    const held = outer?.find(keys);
    if (held === undefined) {
      if (outer?.hasSomeOf(keys) === true) {
        throw new LockUsageError(
          'Some of these locks are held already, and not all: whoever waits for the others could wait for ever. Take all of them at once.',
        );
      }
      const handle = await this.acquire(name, options);
      return this.#runWithin(new HeldHere(new SharedHold(handle, options.mode !== 'read', keys), outer), work);
    }
    if (!held.isWhole && options.mode !== 'read') {
      throw new LockUsageError(
        'Who reads cannot enter again to write: others may read too. Take the lock to write from the start.',
      );
    }
    held.enter();
    return this.#runWithin(new HeldHere(held, outer), work);
  }

  /** Whoever is the last to leave gives it back. */
  #runWithin<Result>(here: HeldHere, work: LockedWork<Result>): Promise<Result> {
    const { hold } = here;
    const { handle } = hold;
    let isIn = true;
    return this.#run(
      handle,
      () => heldHere.run(here, work, handle),
      async () => {
        const isLast = isIn && hold.leave();
        isIn = false;
        if (isLast) await handle.release();
      },
    );
  }
}

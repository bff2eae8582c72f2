import { InFlight } from '../../core/collections/in-flight.js';
import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { Clock } from '../../core/time/clock.js';
import type { LockCounters } from '../lock-counters.js';
import { LockLostError, type LossReason } from '../lock.errors.js';
import type { LockEvents } from '../lock.events.js';
import type { LockName } from '../lock-name.js';
import type { Claims } from './claims.js';
import { Hold } from './hold.js';
import { Lease } from './lease.js';
import type { Leavings } from './leavings.js';
import type { LockKeys } from './lock-keys.js';
import type { LockRequest } from './lock-request.js';
import { Refused, type Granted, type LockServers } from './lock-servers.js';
import type { Queue } from './queue.js';
import { mayHaveRun } from './redis-locks.js';
import { reliedOnMs } from './safety.js';
import { Works } from './works.js';

/** What a {@link Locker} stands on. */
export interface LockerParts {
  readonly servers: LockServers;
  readonly claims: Claims;
  readonly queue: Queue;
  readonly leavings: Leavings;
  readonly clock: Clock;
  readonly counters: LockCounters;
  readonly events: LockEvents;
  /** The connection's name, for errors. */
  readonly connection: string;
}

/** Others have it. */
export class Denied {
  constructor(
    readonly waitedMs: number,
    /** When a lease on it ends, unless it is prolonged. */
    readonly retryAfterMs: number,
  ) {}
}

/** Takes locks, keeps what is held in this process, and gives it back. */
export class Locker {
  readonly #parts: LockerParts;
  readonly #held = new InFlight<string, Hold>();
  readonly #takes: Works;
  #isClosed = false;

  constructor(parts: LockerParts) {
    this.#parts = parts;
    this.#takes = new Works(parts.clock);
  }

  /** Takes the locks, all of them or none. Waits no longer than the request says. */
  async take(name: LockName, keys: readonly LockKeys[], request: LockRequest): Promise<Hold | Denied> {
    const { clock, counters, events } = this.#parts;
    this.#checkOpen();
    request.signal?.throwIfAborted();
    this.#takes.begin();
    try {
      const startMs = clock.monotonicMs();
      const taken = await this.#takeInTime(name, keys, request, startMs);
      const waitedMs = clock.monotonicMs() - startMs;
      if (taken instanceof Hold) {
        if (this.#isClosed) this.#abandon(taken);
        this.#checkOpen();
        counters.acquired += 1;
        if (events.isHeard) events.emit({ type: 'acquired', name, fence: taken.fence, waitedMs });
        return taken;
      }
      counters.refused += 1;
      if (events.isHeard) events.emit({ type: 'refused', name, waitedMs });
      return new Denied(waitedMs, taken.leaseMs);
    } finally {
      this.#takes.end();
    }
  }

  async #takeInTime(
    name: LockName,
    keys: readonly LockKeys[],
    request: LockRequest,
    startMs: number,
  ): Promise<Hold | Refused> {
    const { clock, queue, counters } = this.#parts;
    const untilMs = startMs + request.waitMs;
    if (queue.isFair) return this.#takeOnce(name, keys, request, untilMs);
    for (let tries = 1; ; tries++) {
      // With a claim of its own each time: what is given back of one try can then come late, and not take away what the next one gets.
      const taken = await this.#takeOnce(name, keys, request, startMs);
      const leftMs = untilMs - clock.monotonicMs();
      if (taken instanceof Hold || leftMs <= 0) return taken;
      if (tries === 1) counters.waited += 1;
      await queue.pause(leftMs, request.signal);
    }
  }

  async #takeOnce(
    name: LockName,
    keys: readonly LockKeys[],
    request: LockRequest,
    untilMs: number,
  ): Promise<Hold | Refused> {
    const { claims, clock, queue } = this.#parts;
    const { ttlMs, signal, extent } = request;
    const [only] = keys;
    if (keys.length !== 1 || only === undefined) return this.#takeAll(name, keys, request, untilMs);
    const claim = claims.next(extent, ttlMs);
    const asking = { keys: only, claim, isOneOfSeveral: false, ttlMs, untilMs, signal };
    const answer = await queue.ask(asking, clock.monotonicMs());
    return answer instanceof Refused ? answer : this.#holdOf(name, keys, claim, request, answer);
  }

  /** Gives it back. Resolves with whether it was held until now. When Redis is away, the lease ends by itself. */
  async release(hold: Hold): Promise<boolean> {
    const { servers, leavings, clock, counters, events } = this.#parts;
    const { keys, claim, name, fence } = hold;
    if (hold.lease.isInDoubt) await untilAllIsRead();
    // What was lost, or ends only now because this process stood still, is not held any more after this.
    const wasHeld = hold.lease.end();
    if (!wasHeld || !this.#held.has(claim)) return false;
    this.#held.delete(claim);
    const nowMs = clock.monotonicMs();
    const untilMs = nowMs + hold.lease.ttlMs;
    const leastMs = Math.ceil(hold.atLeastUntilMs - nowMs);
    try {
      const wasOurs =
        leastMs > 0 ? await servers.extend(keys, claim, leastMs, fence) : await servers.leave(keys, claim, untilMs);
      if (!wasOurs) {
        hold.lease.lose('taken-away');
        return false;
      }
    } catch (error) {
      if (!(error instanceof RedisUnavailableError)) throw error;
      if (leastMs <= 0) leavings.leave(keys, claim, untilMs);
    }
    counters.released += 1;
    if (events.isHeard) events.emit({ type: 'released', name, fence, heldMs: nowMs - hold.sinceMs });
    return true;
  }

  /** Nothing is taken any more. */
  stop(): void {
    this.#isClosed = true;
  }

  /** Gives everything back, once what is being taken is taken; who still works with it is told by the signal. Within about three times `withinMs`. */
  async releaseAll(withinMs: number): Promise<void> {
    await this.#takes.untilIdle(withinMs);
    for (const [, hold] of this.#held.entries()) hold.lease.lose('closing');
    const { leavings, servers } = this.#parts;
    await leavings.close();
    await servers.close();
  }

  #checkOpen(): void {
    const { connection } = this.#parts;
    if (this.#isClosed) throw new RedisUnavailableError('closing', { connection, mayHaveRun: false });
  }

  async #takeAll(
    name: LockName,
    keys: readonly LockKeys[],
    request: LockRequest,
    untilMs: number,
  ): Promise<Hold | Refused> {
    const { servers, claims } = this.#parts;
    if (request.extent === 'all' && servers.isOneStep(keys)) {
      const claim = claims.next(request.extent, request.ttlMs);
      const granted = await this.#takeInOneStep(keys, claim, request);
      if (granted !== null) return this.#holdOf(name, keys, claim, request, granted);
    }
    const claim = claims.next(request.extent, request.ttlMs);
    const taken: LockKeys[] = [];
    let hold: Hold | null = null;
    try {
      for (const one of keys) {
        const answer = await this.#askNext(one, claim, request, untilMs, hold);
        if (answer instanceof Refused) {
          if (hold !== null) this.#abandon(hold);
          return answer;
        }
        taken.push(one);
        hold ??= this.#holdOf(name, taken, claim, request, answer);
        hold.fence = Math.max(hold.fence, answer.fence);
      }
      const all = hold as Hold;
      // All leases begin anew, with a fence that is the same for all.
      if (await all.lease.extend()) return all;
      throw all.lease.lost ?? new LockLostError('taken-away');
    } catch (error) {
      if (hold !== null) this.#abandon(hold);
      throw error;
    }
  }

  async #takeInOneStep(keys: readonly LockKeys[], claim: string, { ttlMs }: LockRequest): Promise<Granted | null> {
    const { servers, leavings, clock } = this.#parts;
    try {
      const granted = await servers.askAll(keys, claim, ttlMs);
      const nowMs = clock.monotonicMs();
      if (granted === null || nowMs - granted.sentMs < reliedOnMs(ttlMs)) return granted;
      leavings.leave(keys, claim, nowMs + ttlMs);
      return null;
    } catch (error) {
      if (mayHaveRun(error)) leavings.leave(keys, claim, clock.monotonicMs() + ttlMs);
      throw error;
    }
  }

  #askNext(
    keys: LockKeys,
    claim: string,
    { ttlMs, signal }: LockRequest,
    untilMs: number,
    hold: Hold | null,
  ): Promise<Granted | Refused> {
    const { queue, clock } = this.#parts;
    // What is held already may be lost meanwhile.
    const signals = [signal, hold?.lease.signal].filter((one) => one !== undefined);
    const either = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
    return queue.ask({ keys, claim, isOneOfSeveral: true, ttlMs, untilMs, signal: either }, clock.monotonicMs());
  }

  #abandon(hold: Hold): void {
    hold.lease.end();
    this.#held.delete(hold.claim);
    const { leavings, clock } = this.#parts;
    leavings.leave(hold.keys, hold.claim, clock.monotonicMs() + hold.lease.ttlMs);
  }

  #holdOf(
    name: LockName,
    keys: readonly LockKeys[],
    claim: string,
    { ttlMs, maxHoldMs, atLeastMs }: LockRequest,
    { fence, sentMs, leaseMs }: Granted,
  ): Hold {
    const { servers, clock, counters } = this.#parts;
    const sinceMs = clock.monotonicMs();
    const hold = new Hold(name, keys, claim, fence, sinceMs, sinceMs + atLeastMs);
    hold.lease = new Lease(clock, {
      ttlMs,
      sentMs,
      grantedMs: leaseMs,
      maxHoldMs,
      extend: async (forMs) => {
        const isProlonged = await servers.extend(keys, claim, forMs, hold.fence);
        if (isProlonged) counters.extended += 1;
        return isProlonged;
      },
      onLost: (reason) => this.#lost(hold, reason),
    });
    this.#held.set(claim, hold);
    return hold;
  }

  #lost(hold: Hold, reason: LossReason): void {
    const { leavings, clock, counters, events } = this.#parts;
    this.#held.delete(hold.claim);
    // It may still be ours in Redis, on one of several servers or one of several locks at least; who waits for it should not wait for the lease's end.
    leavings.leave(hold.keys, hold.claim, clock.monotonicMs() + hold.lease.ttlMs);
    counters.lost += 1;
    if (events.isHeard) events.emit({ type: 'lost', name: hold.name, fence: hold.fence, reason });
  }
}

/** Whatever has come when this is called has been heard when it resolves: the first turn of the event loop may be past its reading. */
async function untilAllIsRead(): Promise<void> {
  for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
}

import { InFlight } from '../../core/collections/in-flight.js';
import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { Clock } from '../../core/time/clock.js';
import type { LockCounters } from '../lock-counters.js';
import type { Leavings } from './leavings.js';
import type { LockKeys } from './lock-keys.js';
import { END_OF_QUEUE, Granted, NO_QUEUE, Refused, type LockServers } from './lock-servers.js';
import { mayHaveRun } from './redis-locks.js';
import { driftMs, reliedOnMs } from './safety.js';
import { Waiter } from './waiter.js';
import type { Wakes } from './wakes.js';

/** Whoever waits asks again after so long, since a wake-up can be lost: 0.2 commands a second at most. The second in the queue may ask about once a second. */
const LOOK_AGAIN_MS = 5_000;
const LOOK_AGAIN_SPREAD_MS = 1_000;

/** The same where no wake-ups arrive, until they do. */
const LOOK_DEAF_MS = 500;
const LOOK_DEAF_SPREAD_MS = 250;

/** The first in the queue may be gone like him who has the lock: so long after that lease's end, the second one looks. */
const SECOND_WAITS_MS = 1_000;

/** As long as the queue outlives the last one who asked, as `lua/lock/turn.lua` has it. */
const QUEUE_LIFE_MS = 60_000;

/** How often it is tried where nobody is woken. */
const TRY_AGAIN_MS = 20;
const TRY_AGAIN_SPREAD_MS = 60;

/** One claim on one lock. */
export interface Asking {
  readonly keys: LockKeys;
  readonly claim: string;
  /** Whether it asks with that claim for other locks too: a wake-up does not say for which. */
  readonly isOneOfSeveral: boolean;
  readonly ttlMs: number;
  /** Until when it waits, on the monotonic clock. Not at all, when that is past. */
  readonly untilMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What a {@link Queue} stands on. */
export interface QueueParts {
  readonly servers: LockServers;
  /** Null: nobody is woken, and there is no queue. */
  readonly wakes: Wakes | null;
  readonly leavings: Leavings;
  readonly clock: Clock;
  readonly counters: LockCounters;
  /** The connection's name, for errors. */
  readonly connection: string;
}

/** Asks for one lock until it is had, or the patience ends. */
export class Queue {
  readonly #parts: QueueParts;
  readonly #waiting = new InFlight<string, Waiter>();
  readonly #pausing = new Set<Waiter>();
  #isClosed = false;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /**
   * Resolves with the grant, which is good for a while yet; or with the last refusal, and then nothing is left behind.
   *
   * Rejects with the signal's reason, and with `RedisUnavailableError`.
   */
  async ask(asking: Asking, nowMs: number): Promise<Granted | Refused> {
    const waits = asking.untilMs > nowMs;
    const gaps = this.#parts.wakes?.gaps;
    let answer: Granted | Refused;
    try {
      answer = await this.#try(asking, waits && this.#parts.wakes?.isListening === true ? END_OF_QUEUE : NO_QUEUE);
    } catch (error) {
      if (mayHaveRun(error)) this.#leave(asking);
      throw error;
    }
    if (answer instanceof Granted) return answer;
    if (waits) return this.#wait(asking, answer, nowMs, gaps !== this.#parts.wakes?.gaps);
    if (answer.isLate) this.#leave(asking);
    return answer;
  }

  /** Whether who waits is woken in his turn. Else everybody tries again, after a {@link pause}. */
  get isFair(): boolean {
    return this.#parts.wakes !== null;
  }

  /** A random while before the next try, no longer than `mostMs`. Rejects with the signal's reason, and when the application shuts down. */
  async pause(mostMs: number, signal: AbortSignal | undefined): Promise<void> {
    const waiter = new Waiter(this.#parts.clock, signal);
    this.#pausing.add(waiter);
    await waiter.until(Math.min(mostMs, whenToTry()));
    this.#pausing.delete(waiter);
    signal?.throwIfAborted();
    this.#checkOpen();
  }

  /** Whoever waits is rejected; nobody waits any more. */
  close(): void {
    this.#isClosed = true;
    for (const [, waiter] of this.#waiting.entries()) waiter.wake();
    for (const waiter of this.#pausing) waiter.wake();
  }

  /** @param hasMissed whether it may have been woken before anybody knew that it waits */
  async #wait(asking: Asking, first: Refused, firstMs: number, hasMissed: boolean): Promise<Granted | Refused> {
    const { claim, untilMs, signal } = asking;
    const { wakes, counters, clock } = this.#parts;
    counters.waited += 1;
    const waiter = new Waiter(clock, signal);
    this.#waiting.set(claim, waiter);
    wakes?.add(claim, waiter);
    if (hasMissed) waiter.wake();
    let answer: Granted | Refused = first;
    let askedMs = firstMs;
    try {
      for (let isFirst = true; answer instanceof Refused; isFirst = false) {
        const isHeard = answer.ticket > 0 || (await wakes?.listen()) === true;
        const nowMs = clock.monotonicMs();
        if (nowMs >= untilMs) return answer.after(nowMs - askedMs);
        // Where it has no place in the queue yet, it takes one before it waits.
        const hasPlace = isHeard && answer.ticket > 0;
        if (hasPlace || !isHeard || !isFirst) {
          const isWoken = await waiter.until(
            Math.min(untilMs - nowMs, hasPlace ? whenToLook(answer, wakes?.isDeaf === true) : whenToTry()),
          );
          const laterMs = clock.monotonicMs();
          if (!isWoken && laterMs >= untilMs) return answer.after(laterMs - askedMs);
        }
        signal?.throwIfAborted();
        this.#checkOpen();
        const granted = this.#grantedBy(waiter, asking, answer, askedMs);
        if (granted !== null) {
          answer = granted;
          break;
        }
        askedMs = clock.monotonicMs();
        answer = await this.#try(asking, isHeard ? Math.max(END_OF_QUEUE, answer.ticket) : NO_QUEUE);
      }
      return answer;
    } finally {
      wakes?.remove(claim);
      this.#waiting.delete(claim);
      if (answer instanceof Refused) this.#leave(asking);
    }
  }

  async #try({ keys, claim, ttlMs }: Asking, ticket: number): Promise<Granted | Refused> {
    const { servers, clock } = this.#parts;
    const answer = await servers.ask(keys, claim, ttlMs, ticket);
    if (answer instanceof Refused || clock.monotonicMs() - answer.sentMs < reliedOnMs(ttlMs)) return answer;
    // The reply took so long that the lease may have ended. Asking again renews it.
    return new Refused(0, 0, ticket, 0, true);
  }

  /**
   * What it was given when it was woken. A message can be on its way for any time, but says when it left, by the clock of the server; and so did the last answer, of which it is known
   * since when it can have been under way. Null, and it has to ask again, when too little is left of it by that, or a clock was set.
   */
  #grantedBy(waiter: Waiter, { isOneOfSeveral, ttlMs }: Asking, last: Refused, askedMs: number): Granted | null {
    const { servers, clock } = this.#parts;
    const grant = waiter.takeGrant();
    if (grant === null || isOneOfSeveral || !servers.grantsByWaking) return null;
    const laterMs = (grant.atUs - last.atUs) / 1_000;
    const sentMs = askedMs + laterMs - driftMs(laterMs);
    const agoMs = clock.monotonicMs() - sentMs;
    const isInTime = laterMs >= 0 && agoMs >= 0 && agoMs < reliedOnMs(Math.min(ttlMs, grant.leaseMs)) / 2;
    return isInTime ? new Granted(grant.fence, sentMs, grant.leaseMs) : null;
  }

  /** The claim is not used again. */
  #leave({ keys, claim, ttlMs }: Asking): void {
    const { leavings, clock } = this.#parts;
    leavings.leave([keys], claim, clock.monotonicMs() + ttlMs + QUEUE_LIFE_MS);
  }

  #checkOpen(): void {
    const { connection } = this.#parts;
    if (this.#isClosed) throw new RedisUnavailableError('closing', { connection, mayHaveRun: false });
  }
}

/** The first in the queue looks when the lease ends that it waits for, and the second one a while after. */
function whenToLook({ ahead, leaseMs }: Refused, isDeaf: boolean): number {
  const laterMs = isDeaf
    ? LOOK_DEAF_MS + Math.random() * LOOK_DEAF_SPREAD_MS
    : LOOK_AGAIN_MS + Math.random() * LOOK_AGAIN_SPREAD_MS;
  if (ahead > 1) return laterMs;
  return Math.min(leaseMs + 1 + ahead * SECOND_WAITS_MS, laterMs);
}

function whenToTry(): number {
  return TRY_AGAIN_MS + Math.random() * TRY_AGAIN_SPREAD_MS;
}

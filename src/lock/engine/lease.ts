import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { Cancel, Clock } from '../../core/time/clock.js';
import { LockLostError, type LossReason } from '../lock.errors.js';
import { reliedOnMs } from './safety.js';

/** So much is lost at most between a look at the clock and the setting of a timer. */
const LONGEST_STALL_MS = 1;

/** The least time between two tries to prolong a lease. */
const RETRY_MS = 20;

/** What a lease is made of. */
export interface LeaseOptions {
  readonly ttlMs: number;
  /** When the command left that it began with. */
  readonly sentMs: number;
  /** For how long it was granted: when that is not `ttlMs`, it is prolonged at once. */
  readonly grantedMs: number;
  /** After so many milliseconds it is not prolonged any more; 0: it never is by itself. */
  readonly maxHoldMs: number;
  /** Prolongs it in Redis. False: it has ended there. */
  readonly extend: (ttlMs: number) => Promise<boolean>;
  readonly onLost: (reason: LossReason) => void;
}

/**
 * The lease of a lock as its holder may rely on it, by the monotonic clock of this process alone: it ends here before it can have ended in Redis, whether Redis
 * answers or not.
 */
export class Lease {
  readonly #clock: Clock;
  readonly #options: LeaseOptions;
  readonly #holdEndsMs: number;
  #ttlMs: number;
  /** How long it was from the start to the end, this time. */
  #lengthMs: number;
  #endsMs: number;
  #extendAtMs: number;
  #isExtending = false;
  /** When it ends if what was asked is answered with yes. */
  #hopedEndsMs = -Infinity;
  #wasInDoubt = false;
  #extension: Promise<void> | undefined;
  #isOver = false;
  #lost: LockLostError | null = null;
  #controller: AbortController | undefined;
  #cancelTimer: Cancel = () => undefined;

  constructor(clock: Clock, options: LeaseOptions) {
    const { ttlMs, sentMs, grantedMs, maxHoldMs } = options;
    this.#clock = clock;
    this.#options = options;
    this.#ttlMs = ttlMs;
    this.#lengthMs = Math.min(ttlMs, grantedMs);
    this.#endsMs = sentMs + reliedOnMs(this.#lengthMs);
    this.#holdEndsMs = sentMs + maxHoldMs;
    const nowMs = clock.monotonicMs();
    const isProvisional = grantedMs !== ttlMs && nowMs < this.#endsMs;
    this.#extendAtMs = isProvisional ? nowMs : this.#nextExtension(sentMs);
    this.#isExtending = isProvisional;
    this.#rearm();
    // Before its holder can do anything that keeps the process busy.
    if (isProvisional) void this.#extendByItself(nowMs);
  }

  get isHeld(): boolean {
    return this.leftMs > 0;
  }

  get leftMs(): number {
    return this.#isOver ? 0 : Math.max(0, this.#endsMs - this.#clock.monotonicMs());
  }

  /** When the process stood still, the loss is noticed here before the timer rings. */
  get lost(): LockLostError | null {
    if (!this.#isOver && !this.isHeld) this.#lose();
    return this.#lost;
  }

  /** It has ended, but was asked to be prolonged before; this process has stood still since then, and the answer may be there unread. */
  get isInDoubt(): boolean {
    return !this.#isOver && !this.isHeld && this.#clock.monotonicMs() < this.#hopedEndsMs;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#lost !== null) this.#controller.abort(this.#lost);
    }
    return this.#controller.signal;
  }

  /** For how long it was last asked for. */
  get ttlMs(): number {
    return this.#ttlMs;
  }

  /**
   * Prolongs it now, for `ttlMs` from now on and each time after that. False: it was lost. Rejects when Redis does not answer; then the lease goes on as it was, or as
   * asked for where that ends sooner: nobody knows. One at a time, so that the last one asked for is the one that counts.
   */
  extend(ttlMs = this.#ttlMs): Promise<boolean> {
    const extension =
      this.#extension === undefined ? this.#extend(ttlMs) : this.#extension.then(() => this.#extend(ttlMs));
    const settled = extension.then(ignore, ignore).finally(() => {
      if (this.#extension === settled) this.#extension = undefined;
    });
    this.#extension = settled;
    return extension;
  }

  async #extend(ttlMs: number): Promise<boolean> {
    if (this.lost !== null || this.#isOver) return false;
    const sentMs = this.#clock.monotonicMs();
    const before = this.#endsMs;
    const endsMs = sentMs + reliedOnMs(ttlMs);
    if (endsMs < before) this.#endAt(endsMs);
    this.#hopedEndsMs = endsMs;
    const isProlonged = await this.#options.extend(ttlMs).catch((error: unknown) => {
      this.#hopedEndsMs = -Infinity;
      if (this.#isOver) throw error;
      if (error instanceof RedisUnavailableError && !error.mayHaveRun) this.#endAt(before);
      else if (endsMs < before) this.#extendSoon();
      throw error;
    });
    if (this.#isOver) return false;
    if (!isProlonged) {
      this.lose('taken-away');
      return false;
    }
    this.#ttlMs = ttlMs;
    this.#lengthMs = ttlMs;
    this.#wasInDoubt = false;
    this.#extendAtMs = this.#nextExtension(sentMs);
    this.#endAt(endsMs);
    return this.lost === null;
  }

  /** It is relied on no more. Returns whether it could be until now. */
  end(): boolean {
    const wasHeld = this.lost === null && !this.#isOver;
    this.#isOver = true;
    this.#cancelTimer();
    return wasHeld;
  }

  /** Also once it has ended, when Redis says that it had been another's by then. */
  lose(reason: LossReason): void {
    if (this.#lost !== null) return;
    this.#isOver = true;
    this.#cancelTimer();
    this.#lost = new LockLostError(reason);
    this.#controller?.abort(this.#lost);
    this.#options.onLost(reason);
  }

  #lose(): void {
    this.lose(this.#options.maxHoldMs > 0 && this.#extendAtMs === Infinity ? 'max-hold' : 'lease-ended');
  }

  /** Never again, once the lease reaches to where the hold ends. */
  #nextExtension(sentMs: number): number {
    return sentMs + this.#ttlMs >= this.#holdEndsMs - 1 ? Infinity : sentMs + this.#ttlMs / 3;
  }

  /** It may end sooner than was thought when the next extension was planned. */
  #extendSoon(): void {
    if (this.#extendAtMs === Infinity) return;
    this.#extendAtMs = Math.min(this.#extendAtMs, this.#clock.monotonicMs() + RETRY_MS);
    this.#rearm();
  }

  #endAt(endsMs: number): void {
    this.#endsMs = endsMs;
    this.#rearm();
  }

  /** Anew when the process stood still after it had looked at the clock: the timer would ring late by as much. */
  #rearm(): void {
    let nowMs: number;
    do {
      this.#cancelTimer();
      nowMs = this.#clock.monotonicMs();
      this.#cancelTimer = this.#arm(nowMs);
    } while (this.#clock.monotonicMs() - nowMs > LONGEST_STALL_MS);
  }

  #arm(nowMs: number): Cancel {
    const dueMs = this.#isExtending ? this.#endsMs : Math.min(this.#extendAtMs, this.#endsMs);
    return this.#clock.setTimeout(this.#ring, dueMs - nowMs);
  }

  readonly #ring = (): void => {
    if (this.#isOver) return;
    this.#cancelTimer();
    const nowMs = this.#clock.monotonicMs();
    // Timers may ring up to a millisecond too early.
    if (nowMs >= this.#endsMs - 1) {
      if (this.#isTooLateAnyway(nowMs)) setImmediate(this.#ring);
      else this.#lose();
      return;
    }
    if (!this.#isExtending && nowMs >= this.#extendAtMs - 1) void this.#extendByItself(nowMs);
    this.#rearm();
  };

  /** Timers ring before what has come meanwhile is read. When this one could not ring in time, it may wait for that, once. */
  #isTooLateAnyway(nowMs: number): boolean {
    const isLate = nowMs >= this.#endsMs + this.#lengthMs - reliedOnMs(this.#lengthMs);
    const waits = isLate && this.isInDoubt && !this.#wasInDoubt;
    this.#wasInDoubt = waits;
    return waits;
  }

  async #extendByItself(nowMs: number): Promise<void> {
    this.#isExtending = true;
    try {
      const leftMs = Math.ceil(this.#holdEndsMs - nowMs);
      await this.extend(leftMs > 0 ? Math.min(this.#ttlMs, leftMs) : this.#ttlMs);
    } catch {
      // Redis does not answer now; it is asked again, for as long as the lease lasts.
      this.#extendAtMs = this.#clock.monotonicMs() + Math.max(RETRY_MS, this.#lengthMs / 10);
    } finally {
      this.#isExtending = false;
      if (!this.#isOver) this.#rearm();
    }
  }
}

function ignore(): void {
  // Whoever asked for it is told.
}

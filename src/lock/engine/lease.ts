import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { Cancel, Clock } from '../../core/time/clock.js';
import { LockLostError, type LossReason } from '../lock.errors.js';
import { reliedOnMs } from './safety.js';

/** The least time between two tries to prolong a lease. */
const RETRY_MS = 20;

/** What a lease is made of. */
export interface LeaseOptions {
  readonly ttlMs: number;
  /** When the command left that it began with. */
  readonly sentMs: number;
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
  #endsMs: number;
  #extendAtMs: number;
  #isExtending = false;
  #extension: Promise<void> | undefined;
  #isOver = false;
  #lost: LockLostError | null = null;
  #controller: AbortController | undefined;
  #cancelTimer: Cancel;

  constructor(clock: Clock, options: LeaseOptions) {
    const { ttlMs, sentMs, maxHoldMs } = options;
    this.#clock = clock;
    this.#options = options;
    this.#ttlMs = ttlMs;
    this.#endsMs = sentMs + reliedOnMs(ttlMs);
    this.#holdEndsMs = sentMs + maxHoldMs;
    this.#extendAtMs = this.#nextExtension(sentMs);
    this.#cancelTimer = this.#arm(clock.monotonicMs());
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
    const isProlonged = await this.#options.extend(ttlMs).catch((error: unknown) => {
      if (this.#isOver) throw error;
      if (error instanceof RedisUnavailableError && !error.mayHaveRun) this.#endAt(before);
      else if (endsMs < before) this.#extendSoon();
      throw error;
    });
    if (this.lost !== null || this.#isOver) return false;
    if (!isProlonged) {
      this.lose('taken-away');
      return false;
    }
    this.#ttlMs = ttlMs;
    this.#extendAtMs = this.#nextExtension(sentMs);
    this.#endAt(endsMs);
    return this.isHeld;
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

  #rearm(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#arm(this.#clock.monotonicMs());
  }

  #arm(nowMs: number): Cancel {
    const dueMs = this.#isExtending ? this.#endsMs : Math.min(this.#extendAtMs, this.#endsMs);
    return this.#clock.setTimeout(this.#ring, dueMs - nowMs);
  }

  readonly #ring = (): void => {
    const nowMs = this.#clock.monotonicMs();
    // Timers may ring up to a millisecond too early.
    if (nowMs >= this.#endsMs - 1) {
      this.#lose();
      return;
    }
    if (!this.#isExtending && nowMs >= this.#extendAtMs - 1) void this.#extendByItself(nowMs);
    this.#cancelTimer = this.#arm(nowMs);
  };

  async #extendByItself(nowMs: number): Promise<void> {
    this.#isExtending = true;
    try {
      await this.extend(Math.min(this.#ttlMs, Math.ceil(this.#holdEndsMs - nowMs)));
    } catch {
      // Redis does not answer now; it is asked again, for as long as the lease lasts.
      this.#extendAtMs = this.#clock.monotonicMs() + Math.max(RETRY_MS, this.#ttlMs / 10);
    } finally {
      this.#isExtending = false;
      if (!this.#isOver) this.#rearm();
    }
  }
}

function ignore(): void {
  // Whoever asked for it is told.
}

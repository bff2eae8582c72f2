import { randomBytes } from 'node:crypto';
import { InFlight } from '../../core/collections/in-flight.js';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { Cancel, Clock } from '../../core/time/clock.js';
import { tokenOf } from './claims.js';

/** So many wake-ups are remembered whose claims do not wait yet, or not any more. */
const MOST_EARLY = 1_024;

/** A claim that waits in the queue. */
export class Waiter {
  #isWoken = false;
  #wakeUp: (() => void) | undefined;
  #onTold: ((ms: number) => void) | undefined;
  #toldMs = Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** It is its turn, or it should see for itself. */
  readonly wake = (): void => {
    this.#isWoken = true;
    this.#wakeUp?.();
  };

  /** It is the first one now, and the lease that it waits for lasts for so long, unless it is prolonged. */
  tell(leaseMs: number): void {
    this.#toldMs = this.clock.monotonicMs() + leaseMs + 1;
    this.#onTold?.(this.#toldMs);
  }

  /**
   * Resolves when it should ask again, with true when it was woken or the caller's signal has aborted, with false when `ms` have passed, or the lease that it was
   * told of.
   */
  async until(ms: number): Promise<boolean> {
    if (!this.#isWoken && this.signal?.aborted !== true) await this.#sleep(this.clock.monotonicMs() + ms);
    const isWoken = this.#isWoken || this.signal?.aborted === true;
    this.#isWoken = false;
    this.#toldMs = Infinity;
    return isWoken;
  }

  async #sleep(untilMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      let cancelTimer: Cancel = () => undefined;
      this.#onTold = (toldMs) => {
        cancelTimer();
        cancelTimer = this.clock.setTimeout(resolve, Math.min(untilMs, toldMs) - this.clock.monotonicMs());
      };
      this.#wakeUp = () => {
        cancelTimer();
        resolve();
      };
      this.#onTold(this.#toldMs);
      this.signal?.addEventListener('abort', this.wake, { once: true });
    });
    this.signal?.removeEventListener('abort', this.wake);
    this.#wakeUp = undefined;
    this.#onTold = undefined;
  }
}

/** Wakes the waiters of this process. One channel and one subscription, made when somebody first waits. */
export class Wakes {
  readonly channel: string;
  readonly #waiting = new InFlight<string, Waiter>();
  /** A wake-up may be quicker than the reply that tells of the place in the queue. */
  readonly #early = new Set<string>();
  readonly #cancels: Cancel[] = [];
  #listening: Promise<boolean> | undefined;
  #isListening = false;
  #isClosed = false;

  constructor(
    private readonly connection: RedisConnection,
    private readonly clock: Clock,
  ) {
    this.channel = `${connection.keyPrefix}:lock:wake:${randomBytes(16).toString('base64url')}`;
  }

  /** Whether wake-ups arrive. */
  get isListening(): boolean {
    return this.#isListening;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves with whether wake-ups arrive from now on; if not, it is tried again with the next call. */
  listen(): Promise<boolean> {
    this.#listening ??= this.#subscribe();
    return this.#listening;
  }

  add(claim: string, signal: AbortSignal | undefined): Waiter {
    const waiter = new Waiter(this.clock, signal);
    const token = tokenOf(claim);
    this.#waiting.set(token, waiter);
    if (this.#early.delete(token)) waiter.wake();
    return waiter;
  }

  remove(claim: string): void {
    this.#waiting.delete(tokenOf(claim));
  }

  /** Nobody waits any more. */
  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#wakeAll();
  }

  async #subscribe(): Promise<boolean> {
    const { subscriber } = this.connection;
    try {
      this.#cancels.push(await subscriber.subscribe(this.channel, this.#onWake));
    } catch {
      this.#listening = undefined;
      return false;
    }
    if (this.#isClosed) for (const cancel of this.#cancels.splice(0)) cancel();
    // Whoever was called while nobody listened was taken out of the queue; asking again, he comes back to his place.
    this.#cancels.push(subscriber.onGap(() => this.#wakeAll()));
    this.#isListening = true;
    return true;
  }

  readonly #onWake = (message: Buffer): void => {
    const [token = '', leaseMs] = message.toString('latin1').split(':');
    const waiter = this.#waiting.get(token);
    if (leaseMs !== undefined) {
      waiter?.tell(Number(leaseMs));
      return;
    }
    if (waiter !== undefined) {
      waiter.wake();
      return;
    }
    this.#early.add(token);
    if (this.#early.size <= MOST_EARLY) return;
    for (const oldest of this.#early) {
      this.#early.delete(oldest);
      break;
    }
  };

  #wakeAll(): void {
    for (const [, waiter] of this.#waiting.entries()) waiter.wake();
  }
}

import { randomBytes } from 'node:crypto';
import { InFlight } from '../../core/collections/in-flight.js';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { Cancel } from '../../core/time/clock.js';
import { tokenOf } from './claims.js';
import type { Waiter } from './waiter.js';

/** So many wake-ups are remembered whose claims do not wait yet, or not any more. */
const MOST_EARLY = 1_024;

/** Wakes the waiters of this process. One channel and one subscription, made when somebody first waits. */
export class Wakes {
  readonly channel: string;
  readonly #waiting = new InFlight<string, Waiter>();
  /** A wake-up may be quicker than the reply that tells of the place in the queue. */
  readonly #early = new Map<string, (waiter: Waiter) => void>();
  readonly #cancels: Cancel[] = [];
  #listening: Promise<boolean> | undefined;
  #isListening = false;
  #gaps = 0;
  #isClosed = false;

  /** @param onUnknown called with each word for somebody who does not wait here: not yet, or not any more */
  constructor(
    private readonly connection: RedisConnection,
    private readonly onUnknown: () => void,
  ) {
    this.channel = `${connection.keyPrefix}:lock:wake:${randomBytes(16).toString('base64url')}`;
  }

  /** Whether wake-ups arrive. */
  get isListening(): boolean {
    return this.#isListening;
  }

  /** Whether none arrive now, or nobody knows: the connection for them is being made anew, or silent. */
  get isDeaf(): boolean {
    return this.connection.subscriber.state !== 'live';
  }

  /** How often wake-ups may have been missed. */
  get gaps(): number {
    return this.#gaps;
  }

  /** Resolves with whether wake-ups arrive from now on; if not, it is tried again with the next call. */
  listen(): Promise<boolean> {
    this.#listening ??= this.#subscribe();
    return this.#listening;
  }

  add(claim: string, waiter: Waiter): void {
    const token = tokenOf(claim);
    this.#waiting.set(token, waiter);
    this.#early.get(token)?.(waiter);
    this.#early.delete(token);
  }

  remove(claim: string): void {
    this.#waiting.delete(tokenOf(claim));
  }

  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  async #subscribe(): Promise<boolean> {
    const { subscriber } = this.connection;
    try {
      this.#cancels.push(await subscriber.subscribe(this.channel, this.#onWake));
    } catch {
      this.#listening = undefined;
      return false;
    }
    if (this.#isClosed) {
      this.close();
      return false;
    }
    // Whoever was called while nobody listened was taken out of the queue; asking again, he comes back to his place.
    this.#cancels.push(subscriber.onGap(() => this.#wakeAll()));
    // From now on they have to look for themselves.
    this.#cancels.push(subscriber.onState((state) => state === 'live' || this.#wakeAll()));
    this.#isListening = true;
    return true;
  }

  readonly #onWake = (message: Buffer): void => {
    const [token = '', first, atUs, leaseMs] = message.toString('latin1').split(':');
    const tell = (waiter: Waiter): void => {
      if (leaseMs === undefined) waiter.tell(Number(first));
      else waiter.grant({ fence: Number(first), atUs: Number(atUs), leaseMs: Number(leaseMs) });
    };
    const waiter = this.#waiting.get(token);
    if (waiter !== undefined) {
      tell(waiter);
      return;
    }
    this.onUnknown();
    this.#early.set(token, tell);
    if (this.#early.size <= MOST_EARLY) return;
    for (const [oldest] of this.#early) {
      this.#early.delete(oldest);
      break;
    }
  };

  #wakeAll(): void {
    this.#gaps += 1;
    for (const [, waiter] of this.#waiting.entries()) waiter.wake();
  }
}

import { RedisUnavailableError } from '../errors/redis.errors.js';
import { systemClock, type Cancel, type Clock } from '../time/clock.js';
import { durationMs, type Duration } from '../time/duration.js';
import { callSafely } from './clients/call-safely.js';
import { waitUntil } from './wait-until.js';

/**
 * - `connecting`: not up yet, for the first time.
 * - `up`: every node answers.
 * - `degraded`: some nodes of a cluster are away; keys on the others work.
 * - `down`: nothing answers.
 */
export type HealthState = 'connecting' | 'up' | 'degraded' | 'down';

/** A connection's state at one moment. */
export interface HealthStatus {
  readonly state: HealthState;
  /** What is wrong, as the operating system or the server named it: `connect ECONNREFUSED`. Absent when up. */
  readonly reason?: string;
  /** How long it has been so, in milliseconds. */
  readonly sinceMs: number;
}

/** The current state of a connection, to be asked, awaited or observed. Costs no round trip: it is what the traffic itself showed. */
export class ConnectionHealth {
  #state: HealthState = 'connecting';
  #reason: string | undefined;
  #changedAtMs: number;
  readonly #listeners = new Set<(status: HealthStatus) => void>();

  constructor(
    private readonly connection: string,
    private readonly clock: Clock = systemClock,
  ) {
    this.#changedAtMs = clock.monotonicMs();
  }

  get status(): HealthStatus {
    return {
      state: this.#state,
      sinceMs: Math.round(this.clock.monotonicMs() - this.#changedAtMs),
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    };
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** Calls `listener` at every change of state, until the returned function is called. One that throws is logged and does no harm. */
  onChange(listener: (status: HealthStatus) => void): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when the connection is up. Rejects with `RedisUnavailableError` once `within` has passed, or with the signal's reason. */
  untilUp({
    within = '5s',
    signal,
  }: { readonly within?: Duration; readonly signal?: AbortSignal } = {}): Promise<void> {
    return waitUntil({
      isMet: () => this.isUp,
      onChange: (listener) => this.onChange(listener),
      withinMs: durationMs(within),
      signal,
      clock: this.clock,
      timedOut: () => new RedisUnavailableError('not-connected', { connection: this.connection, mayHaveRun: false }),
    });
  }

  /** For the connection itself. */
  update(state: HealthState, reason: string | undefined): void {
    this.#reason = state === 'up' ? undefined : (reason ?? this.#reason);
    if (state === this.#state) return;
    this.#state = state;
    this.#changedAtMs = this.clock.monotonicMs();
    for (const listener of this.#listeners)
      callSafely('A listener to the state of a Redis connection', () => listener(this.status));
  }
}

import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { Cancel, Clock } from '../core/time/clock.js';
import { durationMs, type Duration } from '../core/time/duration.js';

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/**
 * A clock that stands still until it is told to go on. Provide it under `CLOCK`.
 *
 * Timers run in the order in which they are due, those due at once in the order in which they were set, each at exactly
 * its own time. It governs what asks this clock, and nothing else: the Redis server's time goes on.
 */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>();
  #monotonicMs = 0;
  #wallOffsetMs: number;

  /** @param startMs the wall time that it starts at, in milliseconds since the epoch. Default: 2026-01-01T00:00:00Z. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#wallOffsetMs = startMs;
  }

  now(): number {
    return this.#wallOffsetMs + this.#monotonicMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimeout(run: () => void, ms: number): Cancel {
    const timer: Timer = { dueMs: this.#monotonicMs + Math.max(0, ms), run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers wait. 0 at the end of a test says that whatever set one has cleaned up. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /**
   * Lets time pass and runs every timer that falls due, also those which are set on the way. Before each timer, and at the
   * end, the continuations of settled promises run; what waits for the network is not waited for.
   *
   * Rejects with the error of a timer that throws; time then stands at that timer, and `advance` may be called again.
   */
  async advance(by: Duration): Promise<void> {
    const untilMs = this.#monotonicMs + durationMs(by);
    for (let timer = await this.#nextDue(untilMs); timer !== undefined; timer = await this.#nextDue(untilMs)) {
      this.#monotonicMs = timer.dueMs;
      this.#timers.delete(timer);
      timer.run();
    }
    this.#monotonicMs = untilMs;
  }

  /** Sets the wall clock, back or forth, as an administrator or NTP would. No timer runs, and `monotonicMs` does not change. */
  setWallTime(epochMs: number): void {
    this.#wallOffsetMs = epochMs - this.#monotonicMs;
  }

  async #nextDue(untilMs: number): Promise<Timer | undefined> {
    await endOfTurn();
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }
}

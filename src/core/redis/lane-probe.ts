import type { Redis } from 'ioredis';

export interface LaneProbeOptions {
  readonly probeIntervalMs: number;
  readonly hangMs: number;
}

/**
 * Watches for the return of a server that stopped answering: one PING under way at a time, so that a hung server finds nothing
 * piled up when it wakes. An answer within the deadline ends the watch; a PING that stays unanswered for `hangMs` means
 * a connection that is dead without having been closed, and it is replaced.
 */
export class LaneProbe {
  #round = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly redis: Redis,
    private readonly options: LaneProbeOptions,
    private readonly onAnswer: () => void,
  ) {}

  /** Starts watching; an answer counts when it takes no longer than `deadlineMs`. */
  start(deadlineMs: number): void {
    this.stop();
    this.#ping(this.#round, deadlineMs);
  }

  stop(): void {
    this.#round += 1;
    clearTimeout(this.#timer);
  }

  #ping(round: number, deadlineMs: number): void {
    const sentAt = performance.now();
    this.#wait(this.options.hangMs, () => {
      this.stop();
      this.redis.stream.destroy();
    });
    this.redis.ping().then(
      () => {
        if (round !== this.#round) return;
        clearTimeout(this.#timer);
        const tookMs = performance.now() - sentAt;
        if (tookMs <= deadlineMs) {
          this.stop();
          this.onAnswer();
          return;
        }
        this.#wait(Math.max(0, this.options.probeIntervalMs - tookMs), () => this.#ping(round, deadlineMs));
      },
      () => {
        // An error reply means a server that answers but is not fit to serve; a lost connection ends the watch through stop().
        if (round !== this.#round) return;
        clearTimeout(this.#timer);
        this.#wait(this.options.probeIntervalMs, () => this.#ping(round, deadlineMs));
      },
    );
  }

  #wait(ms: number, then: () => void): void {
    this.#timer = setTimeout(then, ms);
    this.#timer.unref();
  }
}

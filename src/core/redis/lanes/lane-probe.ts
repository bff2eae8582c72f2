import { Command, type Redis } from 'ioredis';
import type { Cancel } from '../../time/clock.js';
import { startDeadline } from './deadline.js';

/** The times that a watch keeps, in milliseconds. */
export interface LaneProbeOptions {
  /** The connection's own deadline: a PING that is not answered by then speaks for every command. */
  readonly deadlineMs: number;
  /** The time from one PING to the next, when the first was answered too late. */
  readonly probeIntervalMs: number;
  readonly hangMs: number;
}

/** Who is told what a watch finds. */
export interface LaneWatcher {
  /** The server answered, were it with an error. Returns whether that was quick enough; if not, it is asked again. */
  answered(tookMs: number): boolean;
  /** A PING has waited for `deadlineMs`. */
  silent(): void;
  /** A PING has waited for `hangMs`. */
  hung(): void;
}

/**
 * Watches for the return of a server that stopped answering: one PING under way at a time, so that a hung server finds nothing
 * piled up when it wakes.
 */
export class LaneProbe {
  #round = 0;
  readonly #cancels: Cancel[] = [];

  constructor(
    private readonly redis: Redis,
    private readonly options: LaneProbeOptions,
    private readonly watcher: LaneWatcher,
  ) {}

  start(): void {
    this.stop();
    this.#ping(this.#round);
  }

  /** Ends the watch. A PING under way is forgotten. */
  stop(): void {
    this.#round += 1;
    this.#cancelTimers();
  }

  #ping(round: number): void {
    const sentAt = performance.now();
    const deadline = startDeadline(this.options.deadlineMs, () => this.watcher.silent());
    this.#cancels.push(() => void deadline.cancel());
    this.#after(this.options.hangMs, () => this.watcher.hung());
    const settled = (isReply: boolean): void => {
      if (round !== this.#round) return;
      this.#cancelTimers();
      const tookMs = performance.now() - sentAt;
      if (isReply && this.watcher.answered(tookMs)) this.stop();
      else this.#after(Math.max(0, this.options.probeIntervalMs - tookMs), () => this.#ping(round));
    };
    const command = new Command('ping');
    void this.redis.sendCommand(command);
    command.promise.then(
      () => settled(true),
      (error: unknown) => settled(error instanceof Error && error.name === 'ReplyError'),
    );
  }

  #after(ms: number, run: () => void): void {
    const timer = setTimeout(run, ms).unref();
    this.#cancels.push(() => clearTimeout(timer));
  }

  #cancelTimers(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
  }
}

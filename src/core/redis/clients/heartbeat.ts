import type { Cancel } from '../../time/clock.js';
import { startDeadline } from '../lanes/deadline.js';

/** What a heartbeat asks, how often, and who is told what it finds. */
export interface HeartbeatOptions {
  /** From one question to the next, in milliseconds. */
  readonly everyMs: number;
  /** How long an answer may be old, and how long one may take, in milliseconds. */
  readonly limitMs: number;
  /** Resolves when the other side answered, rejects when it is known not to. */
  readonly ask: () => Promise<unknown>;
  /** The last proof of life is older than the limit. It may only be that this process stood still. */
  readonly onDoubt?: () => void;
  /** After a doubt: an answer to a question that was asked within the limit. */
  readonly onProof?: () => void;
  /** A question has waited for the limit, with the sockets read meanwhile. */
  readonly onSilence: () => void;
}

/**
 * Notices within `everyMs + limitMs` that the other side is gone, one question under way at a time.
 *
 * An answer proves life only up to the moment when its question was asked. So a process that stood still doubts before it reads another
 * socket, and not only when the next question has waited in vain.
 */
export class Heartbeat {
  #timer: NodeJS.Timeout | undefined;
  #stopDeadline: Cancel | undefined;
  #round = 0;
  #provenAtMs = 0;
  #inDoubt = false;

  constructor(private readonly options: HeartbeatOptions) {}

  /** Begins anew, with this moment as the first proof. */
  start(): void {
    this.stop();
    this.#provenAtMs = performance.now();
    this.#inDoubt = false;
    this.#timer = setInterval(() => this.#beat(this.#round), this.options.everyMs).unref();
  }

  /** Asks nothing more and tells nothing more, not even of an answer to come. */
  stop(): void {
    this.#round += 1;
    clearInterval(this.#timer);
    this.#answered();
  }

  #beat(round: number): void {
    const nowMs = performance.now();
    if (!this.#inDoubt && nowMs - this.#provenAtMs > this.options.limitMs) {
      this.#inDoubt = true;
      this.options.onDoubt?.();
    }
    if (round !== this.#round || this.#stopDeadline !== undefined) return;
    const deadline = startDeadline(this.options.limitMs, () => this.options.onSilence());
    this.#stopDeadline = () => void deadline.cancel();
    this.options.ask().then(
      () => {
        if (round !== this.#round) return;
        this.#answered();
        this.#prove(nowMs);
      },
      () => {
        if (round === this.#round) this.#answered();
      },
    );
  }

  #answered(): void {
    this.#stopDeadline?.();
    this.#stopDeadline = undefined;
  }

  #prove(askedAtMs: number): void {
    this.#provenAtMs = askedAtMs;
    if (!this.#inDoubt || performance.now() - askedAtMs > this.options.limitMs) return;
    this.#inDoubt = false;
    this.options.onProof?.();
  }
}

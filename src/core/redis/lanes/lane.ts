import type { Command, Redis } from 'ioredis';
import { RedisUnavailableError, type UnavailableReason } from '../../errors/redis.errors.js';
import type { Cancel } from '../../time/clock.js';
import { CircuitBreaker } from './circuit-breaker.js';
import type { ConnectionCounters } from '../connection-counters.js';
import { Cork } from './cork.js';
import { startDeadline } from './deadline.js';
import { describeError } from './describe-error.js';
import { guardHandshake } from './handshake-guard.js';
import { LaneProbe, type LaneProbeOptions } from './lane-probe.js';
import { replyCodeOf, toRookeryError } from './reply-errors.js';

/** What the lanes of one connection have in common. */
export interface LaneOptions extends LaneProbeOptions {
  /** The connection's name, for errors. */
  readonly connection: string;
  readonly slowLimit: number;
  /** Whether a connection that hangs may be thrown away and made anew: not when it is the application's own. */
  readonly replaceable: boolean;
  readonly counters: ConnectionCounters;
  /** Called whenever {@link Lane.refusal} may have changed. */
  readonly onChange: () => void;
}

/**
 * The way to one Redis node: one ioredis connection, with what every command on it shares: corked writes, deadlines, and a
 * circuit breaker.
 *
 * - A command on a lane that is not usable fails at once and is never queued, so nothing piles up while a server is away and no
 *   late writes flood it on its return.
 * - A hung server costs one deadline, then nothing: the circuit opens and one PING at a time watches for its return. A connection on which
 *   not even that is answered for `hangMs` is dead without having been closed, and is replaced.
 */
export class Lane {
  readonly #circuit: CircuitBreaker;
  readonly #cork = new Cork();
  readonly #probe: LaneProbe;
  readonly #stopGuard: Cancel;
  #lastError: string | undefined;

  constructor(
    readonly redis: Redis,
    private readonly options: LaneOptions,
  ) {
    this.#circuit = new CircuitBreaker(options.slowLimit);
    this.#probe = new LaneProbe(redis, options, {
      answered: (tookMs) => this.#answered(tookMs),
      silent: () => this.#missed(true, options.deadlineMs),
      hung: () => this.#hung(),
    });
    redis.on('error', this.#onError).on('ready', this.#onReady);
    redis.on('close', this.#onLost).on('end', this.#onLost);
    this.#stopGuard = options.replaceable
      ? guardHandshake(redis, options.hangMs, () => this.#fail('the server does not answer'))
      : () => undefined;
  }

  /** Null when the connection's usual commands may be sent, else why not. */
  get refusal(): UnavailableReason | null {
    return this.#refusalOf(this.options.deadlineMs);
  }

  /** What went wrong last on this connection, as the operating system or the server named it. Undefined once it is up. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /**
   * Sends `command` through `via` (the node itself, or the cluster client that follows redirections) and calls back with its raw
   * reply or a Rookery error, within `deadlineMs` in any case. Callbacks rather than a promise: this is under every command.
   */
  dispatch(
    command: Command,
    deadlineMs: number,
    via: Pick<Redis, 'sendCommand'>,
    onReply: (reply: unknown) => void,
    onError: (error: Error) => void,
  ): void {
    const refusal = this.#refusalOf(deadlineMs);
    const { counters, connection } = this.options;
    if (refusal !== null) {
      counters.refused += 1;
      onError(new RedisUnavailableError(refusal, { connection, mayHaveRun: false }));
      return;
    }
    counters.commands += 1;
    const socket = this.redis.stream;
    const bytesBefore = socket.bytesRead;
    this.#cork.beforeWrite(socket, bytesBefore);
    const deadline = startDeadline(deadlineMs, () => {
      counters.deadlinesMissed += 1;
      this.#missed(socket === this.redis.stream && socket.bytesRead === bytesBefore, deadlineMs);
      onError(new RedisUnavailableError('deadline', { connection, mayHaveRun: true }));
    });
    void via.sendCommand(command);
    if (command.isSettled) {
      // What ioredis refuses on the spot, because the socket is just closing, was never written.
      deadline.cancel();
      command.promise.catch(ignoreSinceItIsTold);
      onError(new RedisUnavailableError('not-connected', { connection, mayHaveRun: false }));
      return;
    }
    command.promise.then(
      (reply: unknown) => {
        if (deadline.cancel()) this.#circuit.succeeded();
        onReply(reply);
      },
      (error: unknown) => {
        const inTime = deadline.cancel();
        if (inTime && replyCodeOf(error) !== null) this.#circuit.succeeded();
        onError(toRookeryError(error, connection, command.name));
      },
    );
  }

  /** Takes every listener and timer of this lane away. The connection itself is left to its owner. */
  dispose(): void {
    this.#probe.stop();
    this.#stopGuard();
    this.redis.off('error', this.#onError).off('ready', this.#onReady);
    this.redis.off('close', this.#onLost).off('end', this.#onLost);
  }

  #refusalOf(deadlineMs: number): UnavailableReason | null {
    if (this.redis.status !== 'ready') return 'not-connected';
    return this.#circuit.refuses(deadlineMs) ? 'circuit-open' : null;
  }

  #missed(silent: boolean, deadlineMs: number): void {
    const wasOpen = this.#circuit.missedMs > 0;
    if (this.redis.status !== 'ready' || !this.#circuit.missed(silent ? 'silent' : 'slow', deadlineMs)) return;
    if (!wasOpen) {
      this.options.counters.circuitOpened += 1;
      this.#probe.start();
    }
    this.#fail(silent ? 'the server is silent' : 'the server is too slow');
  }

  #answered(tookMs: number): boolean {
    const inTime = tookMs <= this.#circuit.missedMs;
    if (inTime) {
      this.#circuit.close();
      this.#lastError = undefined;
      this.options.onChange();
    }
    return inTime;
  }

  #hung(): void {
    if (this.options.replaceable) this.redis.stream.destroy();
  }

  #fail(reason: string): void {
    this.#lastError = reason;
    this.options.onChange();
  }

  readonly #onError = (error: Error): void =>
    this.#fail(describeError(error) ?? this.#lastError ?? 'the connection fails');

  readonly #onReady = (): void => {
    this.#lastError = undefined;
    this.#circuit.close();
    this.options.counters.connects += 1;
    this.options.onChange();
  };

  readonly #onLost = (): void => {
    this.#probe.stop();
    this.options.onChange();
  };
}

function ignoreSinceItIsTold(): void {
  // Its caller has been told.
}

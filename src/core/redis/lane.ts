import type { Command, Redis } from 'ioredis';
import { RedisUnavailableError, type UnavailableReason } from '../errors/redis.errors.js';
import { CircuitBreaker } from './circuit-breaker.js';
import type { ConnectionCounters } from './connection-counters.js';
import { Cork } from './cork.js';
import { startDeadline } from './deadline.js';
import { LaneProbe } from './lane-probe.js';
import { toRookeryError } from './reply-errors.js';

export interface LaneOptions {
  /** The connection's name, for errors. */
  readonly connection: string;
  readonly slowLimit: number;
  readonly probeIntervalMs: number;
  /** How long a connection may stay mute before it is thrown away and made anew. */
  readonly hangMs: number;
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
 * - A hung server costs one deadline, then nothing: the circuit opens and one PING at a time watches for its return.
 */
export class Lane {
  readonly #circuit: CircuitBreaker;
  readonly #cork = new Cork();
  readonly #probe: LaneProbe;
  #handshakeWatch: NodeJS.Timeout | undefined;
  #lastError: string | undefined;

  constructor(
    readonly redis: Redis,
    private readonly options: LaneOptions,
  ) {
    this.#circuit = new CircuitBreaker(options.slowLimit);
    this.#probe = new LaneProbe(redis, options, () => {
      this.#circuit.close();
      options.onChange();
    });
    redis.on('error', this.#onError).on('connect', this.#onConnect).on('ready', this.#onReady);
    redis.on('close', this.#onLost).on('end', this.#onLost);
    if (redis.status === 'connect') this.#onConnect();
  }

  /** Null when commands may be sent, else why not. */
  get refusal(): UnavailableReason | null {
    if (this.redis.status !== 'ready') return 'not-connected';
    return this.#circuit.isOpen ? 'circuit-open' : null;
  }

  /** What went wrong last on this connection, as the operating system or the server named it. Undefined once it is up. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /**
   * Sends `command` through `via` (the node itself, or the cluster client that follows redirections) and settles with its raw
   * reply, within `deadlineMs` in any case.
   */
  dispatch(command: Command, deadlineMs: number, via: Pick<Redis, 'sendCommand'> = this.redis): Promise<unknown> {
    const refusal = this.refusal;
    const { counters, connection } = this.options;
    if (refusal !== null) {
      counters.refused += 1;
      return Promise.reject(new RedisUnavailableError(refusal, { connection, mayHaveRun: false }));
    }
    counters.commands += 1;
    const socket = this.redis.stream;
    this.#cork.beforeWrite(socket);
    const bytesBefore = socket.bytesRead;

    return new Promise((resolve, reject) => {
      const cancelDeadline = startDeadline(deadlineMs, () => {
        counters.deadlinesMissed += 1;
        this.#missed(socket === this.redis.stream && socket.bytesRead === bytesBefore, deadlineMs);
        reject(new RedisUnavailableError('deadline', { connection, mayHaveRun: true }));
      });
      void via.sendCommand(command);
      command.promise.then(
        (reply: unknown) => {
          cancelDeadline();
          this.#circuit.succeeded();
          resolve(reply);
        },
        (error: unknown) => {
          cancelDeadline();
          reject(toRookeryError(error, connection, command.name));
        },
      );
    });
  }

  /** Takes every listener and timer of this lane away. The connection itself is left to its owner. */
  dispose(): void {
    clearTimeout(this.#handshakeWatch);
    this.#probe.stop();
    this.redis.off('error', this.#onError).off('connect', this.#onConnect).off('ready', this.#onReady);
    this.redis.off('close', this.#onLost).off('end', this.#onLost);
    // ioredis prints errors that nobody listens to, and a connection that is being closed may still have one to tell.
    this.redis.on('error', ignore);
  }

  #missed(silent: boolean, deadlineMs: number): void {
    if (this.redis.status !== 'ready' || !this.#circuit.missed(silent ? 'silent' : 'slow')) return;
    this.options.counters.circuitOpened += 1;
    this.#lastError = silent ? 'the server is silent' : 'the server is too slow';
    this.#probe.start(deadlineMs);
    this.options.onChange();
  }

  readonly #onError = (error: Error): void => {
    this.#lastError = describe(error);
    this.options.onChange();
  };

  /** A frozen server still accepts TCP connections, through its kernel; the handshake then never ends, and ioredis sets it no limit. */
  readonly #onConnect = (): void => {
    clearTimeout(this.#handshakeWatch);
    this.#handshakeWatch = setTimeout(() => {
      if (this.redis.status === 'connect') this.redis.stream.destroy();
    }, this.options.hangMs);
    this.#handshakeWatch.unref();
  };

  readonly #onReady = (): void => {
    clearTimeout(this.#handshakeWatch);
    this.#lastError = undefined;
    this.#circuit.close();
    this.options.counters.connects += 1;
    this.options.onChange();
  };

  readonly #onLost = (): void => {
    clearTimeout(this.#handshakeWatch);
    this.#probe.stop();
    this.options.onChange();
  };
}

function ignore(): void {
  // See dispose().
}

/** `ECONNREFUSED`, `WRONGPASS`, ...: enough to act on, and free of anything that a server might quote back. */
function describe(error: Error & { readonly code?: unknown; readonly syscall?: unknown }): string {
  if (typeof error.code === 'string') {
    return typeof error.syscall === 'string' ? `${error.syscall} ${error.code}` : error.code;
  }
  return error.name === 'ReplyError' ? (error.message.split(' ', 1)[0] ?? error.name) : error.name;
}

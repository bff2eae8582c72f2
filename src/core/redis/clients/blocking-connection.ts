import type { Command, Redis } from 'ioredis';
import { RedisUnavailableError, type UnavailableReason } from '../../errors/redis.errors.js';
import { DedicatedLink } from './dedicated-link.js';
import type { DedicatedTarget } from './dedicated-target.js';
import { startDeadline } from '../lanes/deadline.js';
import { plainCommand, type CommandArgument } from '../lanes/plain-command.js';
import type { RedisConnectionConfig } from '../config/redis-config.js';
import { replyCodeOf, toRookeryError } from '../lanes/reply-errors.js';

/** A server may let a client wait this long at most: then a closing application is never held up for longer. */
const LONGEST_BLOCK_MS = 2_000;

/** How much longer than asked for the server may take, before the connection counts as hung. */
const GRACE_MS = 1_000;

/** Replies of a node that the key has moved away from. The command had no effect there. */
const ELSEWHERE = new Set(['MOVED', 'ASK', 'READONLY', 'UNBLOCKED']);

/**
 * A connection of one loop's own for commands that wait in the server: XREADGROUP BLOCK, BLMOVE and the like. One command at a time.
 *
 * - While there is no connection, a command waits for one as long as it would have blocked; so a loop need not wait for itself.
 * - A command on the wire settles at most one second after the time that it asked the server to block. A connection that did not
 *   answer by then hangs: it is thrown away and replaced, and the command rejects with `RedisUnavailableError`.
 * - On a cluster it leads to the primary of the key that it was made for, and follows the key when another node takes over: a
 *   command that met the old one rejects with reason `server-not-ready` and had no effect; the next goes to the new one.
 */
export class BlockingConnection {
  readonly #link: DedicatedLink;
  #epoch = 0;
  #closed = false;
  #busy = false;
  #abandon: () => void = () => undefined;

  constructor(
    private readonly target: DedicatedTarget,
    private readonly config: RedisConnectionConfig,
    private readonly onClose: () => void,
  ) {
    this.#link = new DedicatedLink({ target, handshakeMs: config.hangMs, onReady: () => (this.#epoch += 1) });
    this.#link.start();
  }

  /**
   * Sends a command that blocks for up to `blockMs` (1 to 2,000) milliseconds; the caller puts the same time into `args`.
   * Resolves with the raw reply, null when the time ran out with nothing to hand over.
   */
  async run(command: string, args: readonly CommandArgument[], blockMs: number): Promise<unknown> {
    if (!(blockMs >= 1 && blockMs <= LONGEST_BLOCK_MS)) {
      throw new RangeError(`blockMs must lie between 1 and ${LONGEST_BLOCK_MS}; it is ${blockMs}.`);
    }
    if (this.#busy) throw new Error('A blocking connection runs one command at a time: give each loop its own.');
    this.#busy = true;
    try {
      const connected = this.#link.client;
      if (connected !== null && !this.target.leadsThere(connected)) this.#link.replace();
      const client = await this.#link.untilReady(blockMs);
      if (client === null) throw this.#unavailable(this.#closed ? 'closing' : 'not-connected', false);
      return await this.#send(client, plainCommand(command, args), blockMs + GRACE_MS);
    } finally {
      this.#busy = false;
    }
  }

  /** Which connection it is by now, counted from 1: what the server knows of a connection ends with it. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Ends the connection. A command under way rejects at once, with reason `closing`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#abandon();
    this.#link.close();
    this.onClose();
  }

  #send(client: Redis, command: Command, deadlineMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const deadline = startDeadline(deadlineMs, () => {
        this.#link.replace();
        reject(this.#unavailable('deadline', true));
      });
      this.#abandon = () => {
        deadline.cancel();
        reject(this.#unavailable('closing', true));
      };
      void client.sendCommand(command);
      command.promise.then(
        (reply: unknown) => {
          deadline.cancel();
          resolve(reply);
        },
        (error: unknown) => {
          deadline.cancel();
          reject(this.#refused(error, command));
        },
      );
    });
  }

  #refused(error: unknown, command: Command): Error {
    if (!ELSEWHERE.has(replyCodeOf(error) ?? '')) return toRookeryError(error, this.config.name, command.name);
    this.target.lookAgain();
    this.#link.replace();
    return this.#unavailable('server-not-ready', false);
  }

  #unavailable(reason: UnavailableReason, mayHaveRun: boolean): RedisUnavailableError {
    return new RedisUnavailableError(reason, { connection: this.config.name, mayHaveRun });
  }
}

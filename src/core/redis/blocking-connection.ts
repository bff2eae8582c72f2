import { Command, type Redis } from 'ioredis';
import { RedisUnavailableError } from '../errors/redis.errors.js';
import { DedicatedLink } from './dedicated-link.js';
import { startDeadline } from './deadline.js';
import type { RedisConnectionConfig } from './redis-config.js';
import { toRookeryError } from './reply-errors.js';

/** A server may let a client wait this long at most: then a closing application is never held up for longer. */
export const LONGEST_BLOCK_MS = 2_000;

/**
 * A connection of one loop's own for commands that wait in the server: XREADGROUP BLOCK, BLMOVE and the like. One command at a time.
 *
 * While there is no connection, a command waits for one as long as it would have blocked; so a loop need not wait for itself.
 * A command on the wire settles at most one second after the time that it asked the server to block. A connection that did not
 * answer by then hangs: it is thrown away and replaced, and the command rejects with `RedisUnavailableError`.
 */
export class BlockingConnection {
  readonly #link: DedicatedLink;
  #closed = false;
  #busy = false;
  #abandon: (() => void) | undefined;

  constructor(
    open: () => Redis | null,
    private readonly config: RedisConnectionConfig,
    private readonly onClose: () => void,
  ) {
    this.#link = new DedicatedLink({
      open,
      handshakeMs: config.hangMs,
      onReady: () => undefined,
      onLost: () => undefined,
    });
    this.#link.start();
  }

  /**
   * Sends a command that blocks for up to `blockMs` (1 to 2,000) milliseconds; the caller puts the same time into `args`.
   * Resolves with the raw reply, null when the time ran out with nothing to hand over.
   */
  async run(command: string, args: readonly (string | number | Buffer)[], blockMs: number): Promise<unknown> {
    if (!(blockMs >= 1 && blockMs <= LONGEST_BLOCK_MS)) {
      throw new RangeError(`blockMs must lie between 1 and ${LONGEST_BLOCK_MS}; it is ${blockMs}.`);
    }
    if (this.#busy) throw new Error('A blocking connection runs one command at a time: give each loop its own.');
    this.#busy = true;
    try {
      const client = await this.#link.untilReady(blockMs);
      if (client === null) throw this.#unavailable(this.#closed ? 'closing' : 'not-connected', false);
      return await this.#send(client, new Command(command, [...args]), blockMs);
    } finally {
      this.#busy = false;
    }
  }

  /** Ends the connection. A command under way rejects with reason `closing`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#abandon?.();
    this.#link.replace();
    await this.#link.close();
    this.onClose();
  }

  #send(client: Redis, command: Command, blockMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const cancelDeadline = startDeadline(blockMs + 1_000, () => {
        this.#link.replace();
        reject(this.#unavailable('deadline', true));
      });
      this.#abandon = () => {
        cancelDeadline();
        reject(this.#unavailable('closing', true));
      };
      void client.sendCommand(command);
      command.promise.then(
        (reply: unknown) => {
          cancelDeadline();
          resolve(reply);
        },
        (error: unknown) => {
          cancelDeadline();
          reject(toRookeryError(error, this.config.name, command.name));
        },
      );
    });
  }

  #unavailable(reason: 'closing' | 'not-connected' | 'deadline', mayHaveRun: boolean): RedisUnavailableError {
    return new RedisUnavailableError(reason, { connection: this.config.name, mayHaveRun });
  }
}

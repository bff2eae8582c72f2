import { ReplyError, type Cluster, type Redis } from 'ioredis';
import { RedisReplyError } from '../../../src/core/errors/redis.errors.js';
import type { ScriptTransport, ScriptWord } from '../../../src/core/scripts/script-transport.js';

/**
 * The least that a `ScriptTransport` can be, over a plain ioredis client. It counts what it sends, and lets a test put
 * commands of its own between two others on the same connection.
 */
export class IoredisTransport implements ScriptTransport {
  /** The commands sent so far. */
  readonly sent: string[] = [];
  /** The options of the last command. */
  lastDeadlineMs: number | undefined;
  /** Called before each command, with the number of commands before it. */
  before: (place: number) => void = () => undefined;

  constructor(readonly client: Redis | Cluster) {}

  async send(
    command: string,
    args: readonly ScriptWord[],
    options?: { readonly deadlineMs?: number },
  ): Promise<unknown> {
    this.before(this.sent.length);
    this.sent.push(command);
    this.lastDeadlineMs = options?.deadlineMs;
    try {
      return await this.client.callBuffer(command, ...args);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      const [replyCode = ''] = (error as Error).message.split(' ', 1);
      throw new RedisReplyError(command, replyCode, error);
    }
  }
}

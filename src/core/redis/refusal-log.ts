import { Logger } from '@nestjs/common';
import { RedisReplyError } from '../errors/redis.errors.js';

const QUIET_MS = 60_000;

/**
 * Says in the log when Redis refuses a module's commands (`NOPERM`, say), which nobody would notice otherwise, since the module goes on without.
 * At most once a minute for each reply. That Redis is away is told by its connection and not here.
 */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #saidAtMs = new Map<string, number>();

  /**
   * @param module whose log it is
   * @param subject what goes on without Redis, at the beginning of a sentence
   */
  constructor(
    module: string,
    private readonly subject: string,
  ) {
    this.#logger = new Logger(module);
  }

  note(error: unknown): void {
    if (!(error instanceof RedisReplyError)) return;
    const nowMs = performance.now();
    if (nowMs - (this.#saidAtMs.get(error.replyCode) ?? -Infinity) < QUIET_MS) return;
    this.#saidAtMs.set(error.replyCode, nowMs);
    this.#logger.warn(`${this.subject} without Redis: ${error.message}.`);
  }
}

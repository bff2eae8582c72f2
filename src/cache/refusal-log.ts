import { Logger } from '@nestjs/common';
import { RedisReplyError } from '../core/errors/redis.errors.js';

const QUIET_MS = 60_000;

/**
 * Says in the log when Redis refuses a cache's commands (`NOPERM`, say), which nobody would notice otherwise, since the cache goes on without.
 * At most once a minute for each reply. That Redis is away is told by its connection and not here.
 */
export class RefusalLog {
  readonly #logger = new Logger('CacheModule');
  readonly #saidAtMs = new Map<string, number>();

  constructor(private readonly cache: string) {}

  note(error: unknown): void {
    if (!(error instanceof RedisReplyError)) return;
    const nowMs = performance.now();
    if (nowMs - (this.#saidAtMs.get(error.replyCode) ?? -Infinity) < QUIET_MS) return;
    this.#saidAtMs.set(error.replyCode, nowMs);
    this.#logger.warn(`Cache '${this.cache}' works without Redis: ${error.message}.`);
  }
}

import type { ThrottlerStorage } from '@nestjs/throttler';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { RedisReplyError, RedisUnavailableError } from '../../core/errors/redis.errors.js';
import { KeySpace } from '../../core/keys/key-space.js';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import { RefusalLog } from '../../core/redis/refusal-log.js';
import { systemClock } from '../../core/time/clock.js';
import { timerOption } from '../../core/time/duration-option.js';
import type { Duration } from '../../core/time/duration.js';
import { Ask } from '../engine/ask.js';
import { RedisLimits } from '../engine/redis-limits.js';
import type { Verdict } from '../engine/verdict.js';
import { ThrottlerPolicies } from './throttler-policies.js';

/** Options of {@link RedisThrottlerStorage}. */
export interface RedisThrottlerStorageOptions {
  /** How long a request waits for Redis. Default `'50ms'`. */
  readonly redisDeadline?: Duration;
  /**
   * What becomes of requests while Redis is away or does not answer in time.
   *
   * - `'error'` (the default): `increment` rejects with `RedisUnavailableError`, and the guard with it.
   * - `'allow'`: they are admitted and not counted.
   */
  readonly whenRedisIsDown?: 'error' | 'allow';
}

/** What `@nestjs/throttler` calls a ThrottlerStorageRecord, and does not export. */
type Answer = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/**
 * Keeps the counts of `@nestjs/throttler` in Redis: in all processes together, never more than `limit` requests in any `ttl`.
 *
 * ```ts
 * ThrottlerModule.forRootAsync({
 *   inject: [RedisConnections],
 *   useFactory: (connections: RedisConnections) => ({
 *     throttlers: [{ limit: 100, ttl: minutes(1) }],
 *     storage: new RedisThrottlerStorage(connections.get()),
 *   }),
 * });
 * ```
 *
 * - It decides as the storage in memory that `@nestjs/throttler` has: by a sliding log, exact to the microsecond. A refusal does not count. With a
 *   `blockDuration`, which is `ttl` unless it is set, a refusal blocks for that long, and then the count begins anew: with one that is shorter than `ttl`,
 *   sooner than the limit asks for.
 * - `timeToExpire` tells when the whole limit is there again: when the last request that counts has left, or the block is over. (The storage in memory tells
 *   the end of a period that began with some first request, which the limit does not depend on.)
 * - One round trip for each throttler of a request; requests of one turn of the event loop share them. Time is the server's.
 * - Every key expires. A caller takes memory for each request that counts: about 40 bytes, and 120 where more than 128 count.
 * - A `limit` below 1 refuses everything. A `ttl` or `blockDuration` of more than 366 days counts as 366 days.
 */
export class RedisThrottlerStorage implements ThrottlerStorage {
  readonly #limits: RedisLimits;
  readonly #space: KeySpace;
  readonly #policies = new ThrottlerPolicies();
  readonly #refusalLog = new RefusalLog('RedisThrottlerStorage', 'Requests are admitted');
  readonly #isOpenWhenDown: boolean;

  /** @throws {ConfigurationError} for an option that cannot be */
  constructor(connection: RedisConnection, options: RedisThrottlerStorageOptions = {}) {
    const { redisDeadline = '50ms', whenRedisIsDown = 'error' } = options;
    if (whenRedisIsDown !== 'error' && whenRedisIsDown !== 'allow') {
      throw new ConfigurationError("RedisThrottlerStorage: whenRedisIsDown must be 'error' or 'allow'.");
    }
    const deadlineMs = timerOption(redisDeadline, 'RedisThrottlerStorage: redisDeadline');
    this.#limits = new RedisLimits(connection, systemClock, deadlineMs);
    this.#space = new KeySpace(connection.keyPrefix, 'limit', 'nest-throttler');
    this.#isOpenWhenDown = whenRedisIsDown === 'allow';
  }

  /** Counts a request, or refuses it. Times go in as milliseconds and come out as seconds, rounded up. */
  async increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<Answer> {
    if (limit < 1) return refused(0, ttl, blockDuration > 0 ? blockDuration : ttl);
    const policy = this.#policies.get(limit, ttl, blockDuration);
    const most = policy.limitFor(undefined);
    const counter = {
      policy,
      definition: policy.definition(most, 1),
      key: this.#space.key(key, throttlerName),
      callerKey: this.#space.key(key),
    };
    try {
      return answer(await this.#limits.consume(new Ask([counter], 0)), most, policy.blockMs > 0);
    } catch (error) {
      if (!this.#isOpenWhenDown || !isOfRedis(error)) throw error;
      this.#refusalLog.note(error);
      return { totalHits: 1, timeToExpire: seconds(ttl), isBlocked: false, timeToBlockExpire: 0 };
    }
  }
}

function answer({ admitted, states }: Verdict, limit: number, blocks: boolean): Answer {
  const { remaining = 0, resetMs = 0, retryMs = 0 } = states[0] ?? {};
  if (!admitted) return refused(limit, blocks ? retryMs : resetMs, retryMs);
  return { totalHits: limit - remaining, timeToExpire: seconds(resetMs), isBlocked: false, timeToBlockExpire: 0 };
}

function refused(limit: number, expireMs: number, blockMs: number): Answer {
  const [timeToExpire, timeToBlockExpire] = [seconds(expireMs), seconds(blockMs)];
  return { totalHits: limit + 1, timeToExpire, isBlocked: true, timeToBlockExpire };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}

function isOfRedis(error: unknown): boolean {
  return error instanceof RedisUnavailableError || error instanceof RedisReplyError;
}

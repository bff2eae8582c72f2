import type { ClientRateLimitInfo, Options, Store } from 'express-rate-limit';
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
import { resolvePolicy, type Policy } from '../policies/policy.js';
import { RateLimitUsageError } from '../throttler.errors.js';

/** Options of {@link RedisRateLimitStore}. */
export interface RedisRateLimitStoreOptions {
  /** Keeps the counts of this limiter apart from those of others. Limiters with the same prefix and the same window count together. Default `'default'`. */
  readonly prefix?: string;
  /** How long a request waits for Redis. Default `'50ms'`. */
  readonly redisDeadline?: Duration;
}

/** The store counts and does not limit: its limit is one that nobody reaches. */
const LIMIT = 1_000_000_000;
const LONGEST_MS = 366 * 86_400_000;

/** Nobody asks the policy for these. */
const DEFAULTS = { tracker: (): string => '', whenRedisIsDown: 'deny' } as const;

/**
 * Keeps the counts of `express-rate-limit` in Redis: every hit counts once for all processes, in a window that begins with the key's first hit.
 *
 * ```ts
 * app.use(rateLimit({ windowMs: 60_000, limit: 100, store: new RedisRateLimitStore(connections.get(), { prefix: 'api' }) }));
 * ```
 *
 * - Each limiter needs a store of its own, and a `prefix` of its own where it is to count for itself.
 * - Without Redis `increment` rejects with `RedisUnavailableError`: `express-rate-limit` fails the request, or admits it with `passOnStoreError`. A `decrement`
 *   that Redis does not hear of, or refuses, is left out, and its hit counts until the window ends: not every version of `express-rate-limit` catches what
 *   it rejects with.
 * - One round trip each, but for `resetAll`. Keys may be any strings; every key in Redis expires with its window. Windows are 366 days at most.
 */
export class RedisRateLimitStore implements Store {
  /** For `express-rate-limit`: other stores may count the same keys. */
  readonly localKeys = false;
  readonly prefix: string;
  readonly #limits: RedisLimits;
  readonly #space: KeySpace;
  readonly #refusalLog = new RefusalLog('RedisRateLimitStore', 'Decrements are left out');
  #policy: Policy | undefined;

  /** @throws {ConfigurationError} for an option that cannot be */
  constructor(
    private readonly connection: RedisConnection,
    options: RedisRateLimitStoreOptions = {},
  ) {
    const { prefix = 'default', redisDeadline = '50ms' } = options;
    this.prefix = prefix;
    this.#space = new KeySpace(connection.keyPrefix, 'limit', 'express-rate-limit', prefix);
    const deadlineMs = timerOption(redisDeadline, 'RedisRateLimitStore: redisDeadline');
    this.#limits = new RedisLimits(connection, systemClock, deadlineMs);
  }

  /** `express-rate-limit` calls it, before anything else. */
  init({ windowMs }: Pick<Options, 'windowMs'>): void {
    const window: Duration = `${Math.min(Math.ceil(windowMs), LONGEST_MS)}ms`;
    const options = { name: 'express-rate-limit', algorithm: 'fixed-window', limit: LIMIT, window } as const;
    this.#policy = resolvePolicy(options, undefined, DEFAULTS, 'RedisRateLimitStore');
  }

  /** Counts a hit, within the limit or beyond it. */
  async increment(key: string): Promise<ClientRateLimitInfo> {
    return info(await this.#limits.charge(this.#ask(key, 1)));
  }

  /** Takes a hit back; never below none. */
  async decrement(key: string): Promise<void> {
    try {
      await this.#limits.charge(this.#ask(key, -1));
    } catch (error) {
      if (!(error instanceof RedisUnavailableError || error instanceof RedisReplyError)) throw error;
      this.#refusalLog.note(error);
    }
  }

  /** The hits of the key's window, or undefined when there are none. */
  async get(key: string): Promise<ClientRateLimitInfo | undefined> {
    const counted = info(await this.#limits.look(this.#ask(key, 1)));
    return counted.totalHits === 0 ? undefined : counted;
  }

  /** Forgets the hits of a key. */
  async resetKey(key: string): Promise<void> {
    await this.#limits.forget([this.#counterKey(key)]);
  }

  /** Forgets the hits of every key of this prefix, by SCAN and UNLINK on every master: O(keys in the server), so for rare use. */
  async resetAll(): Promise<void> {
    for await (const keys of this.connection.scan(this.#space.pattern())) {
      await Promise.all(keys.map((key) => this.connection.send('UNLINK', [key])));
    }
  }

  #ask(key: string, units: number): Ask {
    const policy = this.#windowed();
    const definition = policy.definition(LIMIT, units);
    return new Ask([{ policy, definition, key: this.#counterKey(key), callerKey: this.#space.key(key) }], 0);
  }

  #counterKey(key: string): string {
    return this.#space.key(key, this.#windowed().algorithm.shape);
  }

  #windowed(): Policy {
    if (this.#policy !== undefined) return this.#policy;
    throw new RateLimitUsageError('RedisRateLimitStore has no window: pass it to rateLimit(), which calls init().');
  }
}

function info({ states }: Verdict): ClientRateLimitInfo {
  const { remaining = LIMIT, resetMs = 0 } = states[0] ?? {};
  return { totalHits: LIMIT - remaining, resetTime: new Date(systemClock.now() + resetMs) };
}

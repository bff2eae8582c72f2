import type { ExecutionContext } from '@nestjs/common';
import type { Duration } from '../core/time/duration.js';
import type { Caller } from '../core/calls/caller.js';
import type { Tracker } from './callers/tracker.js';
import type { RateLimitPolicy, WhenRedisIsDown } from './policies/policy.options.js';
import type { RateLimitResult } from './rate-limit-result.js';

/** Which headers answers carry. `Retry-After` is on every refusal, whatever is said here. */
export interface RateLimitHeaders {
  /** `RateLimit-Policy` and `RateLimit`, as in draft-ietf-httpapi-ratelimit-headers-10. Default true. */
  readonly standard?: boolean;
  /** `X-RateLimit-Limit`, `-Remaining` and `-Reset` (in seconds), of the policy with the least left. Default false. */
  readonly legacy?: boolean;
}

/** Options of `ThrottlerModule.forRoot`. */
export interface ThrottlerModuleOptions {
  /** Each applies to every guarded route, unless it is `optIn`. At most eight apply to one request. Default: none. */
  readonly policies?: readonly RateLimitPolicy[];
  /** Whose counter it is, where a policy does not say. Default `byIp()`: the address that the connection comes from. */
  readonly tracker?: Tracker;
  /** Requests for which it returns true are not counted at all. */
  readonly skip?: (caller: Caller) => boolean;
  /** Default: `RateLimit-Policy` and `RateLimit`. False: none but `Retry-After`. */
  readonly headers?: RateLimitHeaders | false;
  /** Where a policy does not say. Default `'local'`. */
  readonly whenRedisIsDown?: WhenRedisIsDown;
  /** How many processes share the limits: while Redis is away, each admits its share. Default 1. */
  readonly instances?: number;
  /** Name of the Redis connection. Default: the default one. */
  readonly connection?: string;
  /** How long a request waits for Redis before it is decided without it. Default `'50ms'`. */
  readonly redisDeadline?: Duration;
  /** How many callers that are known to be refused are remembered, and as many that are counted here while Redis is away. 0: none is remembered. Default 10,000. */
  readonly maxCallers?: number;
  /** What the guard throws instead of its own exception. */
  readonly exception?: (result: RateLimitResult, context: ExecutionContext) => Error;
}

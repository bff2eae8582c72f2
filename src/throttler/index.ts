export { ThrottlerModule } from './throttler.module.js';
export type { RateLimitHeaders, ThrottlerModuleOptions } from './throttler.options.js';
export { RateLimiter, type ConsumeOptions, type PolicyNames } from './rate-limiter.js';
export { RateLimitResult, type DecidedBy, type PolicyResult } from './rate-limit-result.js';
export { RateLimitExceededError, RateLimitUsageError } from './throttler.errors.js';
export type { ThrottlerCounters } from './throttler-counters.js';
export { ThrottlerGuard } from './guard/throttler.guard.js';
export { RateLimit, type PolicyUseOptions } from './guard/rate-limit.decorator.js';
export { SkipRateLimit } from './guard/skip-rate-limit.decorator.js';
export { RateLimitException, type RateLimitProblem } from './http/rate-limit.exception.js';
export type {
  BucketPolicy,
  ConcurrencyPolicy,
  Limit,
  PolicySettings,
  Rate,
  RateLimitPolicy,
  RatePolicy,
  RoutePolicy,
  WhenRedisIsDown,
  WindowPolicy,
} from './policies/policy.options.js';
export type { Caller } from '../core/calls/caller.js';
export type { Tracker } from './callers/tracker.js';
export { byIp, type ByIpOptions } from './callers/by-ip.js';
export { ipKey } from './callers/ip-key.js';
export { byUser, type UserPick } from './callers/by-user.js';
export { byApiKey, type ByApiKeyOptions } from './callers/by-api-key.js';
export { bySession, type BySessionOptions } from './callers/by-session.js';

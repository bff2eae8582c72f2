import { openNestLab } from './nest-lab.mjs';
import { openRateLimitRedis } from './rate-limit-redis.mjs';
import { openRateLimiterFlexible } from './rate-limiter-flexible.mjs';
import { openRaw } from './raw.mjs';
import { openRookery } from './rookery.mjs';

/**
 * Each opens a limiter by `{ redis: { host, port }, limit, windowMs, policies, settings }` and gives `{ consume(caller), close() }`: `consume` resolves with
 * whether the caller is admitted. Ours takes `policies`, the others have one window of `limit` in `windowMs`; the default settings of each where nothing is
 * said, and connections with the same settings for all. The peers also tell what they have `counted(caller)`.
 */
export const limiters = {
  raw: openRaw,
  rookery: openRookery,
  'rate-limiter-flexible': openRateLimiterFlexible,
  'nest-lab': openNestLab,
  'rate-limit-redis': openRateLimitRedis,
};

/** For the header of a claim. */
export const PACKAGES = [
  'rookery',
  'ioredis',
  'rate-limiter-flexible',
  '@nest-lab/throttler-storage-redis',
  'rate-limit-redis',
];

import { LRUCache } from 'lru-cache';
import type { Duration } from '../../core/time/duration.js';
import { resolvePolicy, type Policy } from '../policies/policy.js';

/** So many are kept; limits that are functions may give any number of them. */
const MOST_POLICIES = 1_000;
const MOST_UNITS = 1_000_000_000;
const LONGEST_MS = 366 * 86_400_000;

/** Nobody asks the policy for these: the tracker has been applied, and what happens without Redis is for the storage to say. */
const DEFAULTS = { tracker: (): string => '', whenRedisIsDown: 'deny' } as const;

/** What `@nestjs/throttler` passes with each request, as a policy. Equal ones are the same object while it is used often enough. */
export class ThrottlerPolicies {
  readonly #policies = new LRUCache<string, Policy>({ max: MOST_POLICIES });

  /** @param limit at least 1 */
  get(limit: number, ttlMs: number, blockMs: number): Policy {
    const key = `${limit}/${ttlMs}/${blockMs}`;
    let policy = this.#policies.get(key);
    if (policy === undefined) {
      policy = newPolicy(limit, ttlMs, blockMs);
      this.#policies.set(key, policy);
    }
    return policy;
  }
}

function newPolicy(limit: number, ttlMs: number, blockMs: number): Policy {
  const options = {
    name: 'nest-throttler',
    algorithm: 'sliding-log',
    limit: Math.min(Math.floor(limit), MOST_UNITS),
    window: duration(ttlMs),
    ...(blockMs > 0 && { blockFor: duration(blockMs) }),
  } as const;
  return resolvePolicy(options, undefined, DEFAULTS, 'RedisThrottlerStorage');
}

function duration(ms: number): Duration {
  return `${Math.min(Math.max(1, Math.ceil(ms)), LONGEST_MS)}ms`;
}

import { Injectable } from '@nestjs/common';
import type { KeyParts } from '../core/keys/key-part.js';
import { durationOption } from '../core/time/duration-option.js';
import type { Duration } from '../core/time/duration.js';
import type { Caller } from '../core/calls/caller.js';
import type { PolicyUse } from './engine/ask.js';
import { MOST_POLICIES } from './policies/policy-registry.js';
import type { RateLimitResult } from './rate-limit-result.js';
import type { ThrottlerCounters } from './throttler-counters.js';
import { RateLimitExceededError, RateLimitUsageError } from './throttler.errors.js';
import { ThrottlerRuntime } from './throttler.runtime.js';

/** One policy of the module by its name, or several: then all of them are charged or none. */
export type PolicyNames = string | readonly string[];

/** How one request is counted. */
export interface ConsumeOptions {
  /** Units, at least 1. Default 1. */
  readonly cost?: number;
  /** Handed to limits that are functions. */
  readonly caller?: Caller;
}

/**
 * The limits of the application, for any code: jobs, webhooks, sign-ups, mails.
 *
 * Callers are told apart by their tracker: `['user', 42]`, an address, an account. A route's counter for the same policy and the same tracker is the
 * same one: `byIp()` gives `['ip', '203.0.113.7']`, `byUser()` gives `['user', 42]`.
 *
 * `consume` and `run` decide without Redis when it is away, as the policies say. Everything else rejects with `RedisUnavailableError` then.
 */
@Injectable()
export class RateLimiter {
  constructor(private readonly runtime: ThrottlerRuntime) {}

  get counters(): Readonly<ThrottlerCounters> {
    return this.runtime.counters;
  }

  /** Takes units of all the policies, or of none. One round trip, or none for a caller that is known to be refused. Rejects with `RateLimitUsageError` for a cost that can never be had. */
  async consume(policies: PolicyNames, tracker: KeyParts, options: ConsumeOptions = {}): Promise<RateLimitResult> {
    return this.runtime.limiter.consume(this.#uses(policies, tracker, checkedCost(options.cost), options.caller));
  }

  /**
   * Runs `work` when there is room, and gives the slots of limits of requests at once back in the end.
   *
   * Rejects with `RateLimitExceededError`, and with what `work` rejects with.
   */
  async run<Result>(
    policies: PolicyNames,
    tracker: KeyParts,
    work: () => Promise<Result>,
    options: ConsumeOptions = {},
  ): Promise<Result> {
    const result = await this.consume(policies, tracker, options);
    if (!result.admitted) throw new RateLimitExceededError(result.refusedBy, result.retryAfterMs);
    try {
      return await work();
    } finally {
      await result.release();
    }
  }

  /** What `consume` would say now. Nothing is counted. */
  async peek(policies: PolicyNames, tracker: KeyParts, options: ConsumeOptions = {}): Promise<RateLimitResult> {
    return this.runtime.limiter.look(this.#uses(policies, tracker, checkedCost(options.cost), options.caller));
  }

  /** Gives units back that were taken for nothing, at most as many as were. Slots are given back by `release`. */
  async refund(policies: PolicyNames, tracker: KeyParts, options: ConsumeOptions = {}): Promise<void> {
    await this.runtime.limiter.charge(this.#uses(policies, tracker, -checkedCost(options.cost), options.caller));
    await this.runtime.forget(this.runtime.policies.callerKey(tracker));
  }

  /** Takes units whether there is room or not: the caller may have less than none left. */
  async penalize(policies: PolicyNames, tracker: KeyParts, options: ConsumeOptions = {}): Promise<void> {
    await this.runtime.limiter.charge(this.#uses(policies, tracker, checkedCost(options.cost), options.caller));
  }

  /** Forgets what these policies have counted for the caller, and their blocks; slots that are held are forgotten too. The block list is left as it is. */
  async reset(policies: PolicyNames, tracker: KeyParts): Promise<void> {
    const { policies: registry, redis } = this.runtime;
    const callerKey = registry.callerKey(tracker);
    await redis.forget(namesOf(policies).map((name) => registry.policyKey(registry.get(name), callerKey)));
    await this.runtime.forget(callerKey);
  }

  /** Refuses the caller everything, by every policy, for so long from now on, whatever an earlier block said. */
  async block(tracker: KeyParts, duration: Duration): Promise<void> {
    const forMs = durationOption(duration, 'The duration of a block');
    const callerKey = this.runtime.policies.callerKey(tracker);
    const wasBlocked = await this.runtime.redis.block(callerKey, forMs);
    // For longer, perhaps, and processes remember it.
    if (wasBlocked) await this.runtime.forget(callerKey);
  }

  /** Takes the caller off the block list. Resolves with whether it was on it. */
  async unblock(tracker: KeyParts): Promise<boolean> {
    const callerKey = this.runtime.policies.callerKey(tracker);
    const wasBlocked = await this.runtime.redis.unblock(callerKey);
    await this.runtime.forget(callerKey);
    return wasBlocked;
  }

  #uses(names: PolicyNames, tracker: KeyParts, units: number, caller: Caller | undefined): PolicyUse[] {
    const { policies } = this.runtime;
    const callerKey = policies.callerKey(tracker);
    return namesOf(names).map((name) => policies.use(policies.get(name), callerKey, units, caller));
  }
}

function namesOf(policies: PolicyNames): readonly string[] {
  const names = typeof policies === 'string' ? [policies] : [...new Set(policies)];
  if (names.length >= 1 && names.length <= MOST_POLICIES) return names;
  throw new RateLimitUsageError(`A request is counted by 1 to ${MOST_POLICIES} policies, not by ${names.length}.`);
}

function checkedCost(cost = 1): number {
  if (Number.isInteger(cost) && cost > 0) return cost;
  throw new RateLimitUsageError(`A cost must be a whole number above 0; it is ${String(cost)}.`);
}

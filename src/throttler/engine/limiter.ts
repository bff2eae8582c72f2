import { randomInt } from 'node:crypto';
import { RedisReplyError, RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { RefusalLog } from '../../core/redis/refusal-log.js';
import { RateLimitResult, type DecidedBy, type PolicyResult } from '../rate-limit-result.js';
import type { ThrottlerCounters } from '../throttler-counters.js';
import { Ask, type PolicyUse } from './ask.js';
import type { LocalLimits } from './local-limits.js';
import type { RedisLimits } from './redis-limits.js';
import type { Refusals } from './refusals.js';
import type { Slots } from './slots.js';
import { Verdict, type PolicyState } from './verdict.js';

/** What a limiter is made of. */
export interface LimiterParts {
  readonly redis: RedisLimits;
  readonly local: LocalLimits;
  /** Null when nothing is to be remembered. */
  readonly refusals: Refusals | null;
  readonly slots: Slots;
  readonly counters: ThrottlerCounters;
  readonly refusalLog: RefusalLog;
}

/** Brings a request to a decision: from memory, from Redis, or without it. */
export class Limiter {
  constructor(private readonly parts: LimiterParts) {}

  async consume(uses: readonly PolicyUse[]): Promise<RateLimitResult> {
    const ask = new Ask(uses, uses.some(isConcurrency) ? randomHolder() : 0);
    const { refusals, redis } = this.parts;
    const known = refusals?.find(ask);
    if (known !== undefined) return this.#result(ask, known, 'memory');
    const moment = refusals?.moment ?? 0;
    let verdict: Verdict;
    let decidedBy: DecidedBy = 'redis';
    try {
      const asks = this.#bySlot(ask);
      verdict = await (asks.length === 1 ? redis.consume(ask) : this.#inSlots(ask, asks));
      refusals?.note(ask, verdict, moment);
    } catch (error) {
      if (!isOfRedis(error)) throw error;
      this.parts.refusalLog.note(error);
      verdict = this.parts.local.consume(ask);
      decidedBy = 'process';
    }
    return this.#result(ask, verdict, decidedBy);
  }

  /** Where the caller stands; nothing is counted. Rejects with `RedisUnavailableError`. */
  async look(uses: readonly PolicyUse[]): Promise<RateLimitResult> {
    const asks = this.#bySlot(new Ask(uses, 0));
    const verdicts = await Promise.all(asks.map((ask) => this.parts.redis.look(ask)));
    return newResult(uses, together(uses, asks, verdicts), 'redis', nothingToRelease);
  }

  /** Takes units whether there is room or not, or gives them back where they are below 0. Rejects with `RedisUnavailableError`. */
  async charge(uses: readonly PolicyUse[]): Promise<void> {
    const asks = this.#bySlot(new Ask(uses, 0));
    await Promise.all(asks.map((ask) => this.parts.redis.charge(ask)));
  }

  /** All at once, and what some had room for is taken back when others had none, or could not be asked. */
  async #inSlots(ask: Ask, asks: readonly Ask[]): Promise<Verdict> {
    const outcomes = await Promise.allSettled(asks.map((part) => this.parts.redis.consume(part)));
    const verdicts = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : NOT_DECIDED));
    if (verdicts.every(({ admitted }) => admitted)) return together(ask.uses, asks, verdicts);
    // Nobody waits for it: what is asked next goes the same way, behind it.
    const states = verdicts.map((verdict, i) => this.#takeBack(asks[i] as Ask, verdict));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return together(ask.uses, asks, states);
  }

  /** Returns where the caller stands then; when all of it will be back is said as if it had been taken. */
  #takeBack({ uses, holder }: Ask, verdict: Verdict): Verdict {
    const { redis } = this.parts;
    if (!verdict.admitted) return verdict;
    const taken = uses.filter((_, i) => verdict.states[i]?.retryMs === 0);
    const counted = taken.filter((use) => !isConcurrency(use)).map(negative);
    const held = taken.filter(isConcurrency).map(({ key }) => key);
    if (counted.length > 0) redis.charge(new Ask(counted, 0)).catch(ignoreSinceItComesBackInTime);
    if (held.length > 0) redis.release(held, holder).catch(ignoreSinceItComesBackInTime);
    const states = verdict.states.map((state, i) => {
      const use = uses[i] as PolicyUse;
      if (state.retryMs > 0) return state;
      return { ...state, remaining: state.remaining + (isConcurrency(use) ? 1 : use.definition.units) };
    });
    return new Verdict(false, 0, states);
  }

  /** What one script decides: keys lie in one slot for one tracker, and always on a single server. */
  #bySlot(ask: Ask): readonly Ask[] {
    if (ask.callerKeys.length === 1) return [ask];
    const groups = new Map<number, PolicyUse[]>();
    for (const use of ask.uses) {
      const group = this.parts.redis.groupOf({ callerKeys: [use.callerKey] });
      groups.set(group, [...(groups.get(group) ?? []), use]);
    }
    return groups.size === 1 ? [ask] : [...groups.values()].map((uses) => new Ask(uses, ask.holder));
  }

  #result({ uses, holder }: Ask, verdict: Verdict, decidedBy: DecidedBy): RateLimitResult {
    const { counters, slots } = this.parts;
    if (verdict.admitted) counters.admitted += 1;
    else counters.refused += 1;
    if (decidedBy === 'memory') counters.refusedFromMemory += 1;
    if (decidedBy === 'process') counters.decidedWithoutRedis += 1;
    if (verdict.blockedMs > 0) counters.blocked += 1;
    for (let i = 0; i < uses.length; i++) {
      if (uses[i]?.policy.shadow === true && (verdict.states[i]?.retryMs ?? 0) > 0) counters.shadowRefusals += 1;
    }
    const held = holder === 0 || !verdict.admitted ? [] : uses.filter((use, i) => isHeld(use, verdict.states[i]));
    return newResult(uses, verdict, decidedBy, held.length === 0 ? nothingToRelease : slots.hold(held, holder));
  }
}

function newResult(
  uses: readonly PolicyUse[],
  verdict: Verdict,
  decidedBy: DecidedBy,
  release: () => Promise<void>,
): RateLimitResult {
  let retryAfterMs = verdict.blockedMs;
  const policies: PolicyResult[] = [];
  if (verdict.blockedMs === 0) {
    uses.forEach(({ policy, definition }, i) => {
      const { remaining, resetMs, retryMs } = verdict.states[i] as PolicyState;
      const { name, shadow } = policy;
      const { limit, windowSeconds } = definition;
      if (!verdict.admitted && !shadow) retryAfterMs = Math.max(retryAfterMs, retryMs);
      policies.push({ name, limit, remaining, resetMs, retryAfterMs: retryMs, shadow, windowSeconds });
    });
  }
  const isOutage = decidedBy === 'process' && !verdict.admitted && uses.some(deniesInOutage);
  return new RateLimitResult(
    verdict.admitted,
    retryAfterMs,
    verdict.blockedMs > 0,
    policies,
    decidedBy,
    isOutage,
    release,
  );
}

/** The verdicts of the parts of a request as one, in the order of its policies. */
function together(uses: readonly PolicyUse[], asks: readonly Ask[], verdicts: readonly Verdict[]): Verdict {
  const blockedMs = Math.max(...verdicts.map((verdict) => verdict.blockedMs));
  if (blockedMs > 0) return new Verdict(false, blockedMs, []);
  const states = new Map<PolicyUse, PolicyState>();
  asks.forEach((ask, i) => ask.uses.forEach((use, at) => states.set(use, verdicts[i]?.states[at] as PolicyState)));
  const admitted = verdicts.every((verdict) => verdict.admitted);
  return new Verdict(
    admitted,
    0,
    uses.map((use) => states.get(use) as PolicyState),
  );
}

function negative(use: PolicyUse): PolicyUse {
  const { limit, units } = use.definition;
  return { ...use, definition: use.policy.definition(limit, -units) };
}

function isConcurrency({ policy }: PolicyUse): boolean {
  return policy.isConcurrency;
}

function deniesInOutage({ policy }: PolicyUse): boolean {
  return policy.whenRedisIsDown === 'deny' && !policy.shadow;
}

function isHeld({ policy }: PolicyUse, state: PolicyState | undefined): boolean {
  return policy.isConcurrency && state?.retryMs === 0;
}

function isOfRedis(error: unknown): error is RedisUnavailableError | RedisReplyError {
  return error instanceof RedisUnavailableError || error instanceof RedisReplyError;
}

/** Unique among the holders of a policy's slots: one of 2^47 numbers. */
function randomHolder(): number {
  return randomInt(1, 2 ** 47);
}

const NOT_DECIDED = new Verdict(false, 0, []);

function ignoreSinceItComesBackInTime(): void {
  // A server that is away meanwhile gives it back when its window or its lease is over.
}

const nothingToRelease = (): Promise<void> => Promise.resolve();

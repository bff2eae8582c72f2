import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { durationOption, timerOption } from '../../core/time/duration-option.js';
import { durationMs, type Duration } from '../../core/time/duration.js';
import type { FreshnessOptions, GetOrSetOptions, TimeToLive } from '../cache.options.js';

/** How values are kept and renewed, with every default filled in. Times are milliseconds. */
export interface Policy {
  readonly ttl: number | ((value: never) => Duration);
  readonly jitter: number;
  readonly negativeTtlMs: number | null;
  /** How long after its TTL a value is served while another is loaded. */
  readonly revalidateMs: number;
  /** How long after its TTL a value is kept in case that the loader fails. */
  readonly failSafeMs: number;
  readonly throttleMs: number;
  readonly softTimeoutMs: number | null;
  readonly hardTimeoutMs: number | null;
  readonly eagerRefresh: number | null;
  readonly earlyRefresh: number;
  readonly backoffMs: number;
}

/** What applies where nothing is said. */
export const DEFAULT_POLICY: Policy = {
  ttl: 300_000,
  jitter: 0,
  negativeTtlMs: null,
  revalidateMs: 0,
  failSafeMs: 0,
  throttleMs: 10_000,
  softTimeoutMs: null,
  hardTimeoutMs: null,
  eagerRefresh: null,
  earlyRefresh: 0,
  backoffMs: 500,
};

/** Options from which a policy is made. */
export type PolicyOptions = FreshnessOptions & {
  readonly ttl?: TimeToLive<never>;
  readonly jitter?: number;
};

/** `base`, changed by what the options say. Throws `ConfigurationError` naming the option; `of` says whose it is: ` of cache 'products'`. */
export function resolvePolicy(base: Policy, options: PolicyOptions, of: string): Policy {
  const name = (option: string): string => `CacheModule: ${option}${of}`;
  const duration = <Else>(
    option: keyof GetOrSetOptions,
    value: Duration | undefined,
    otherwise: Else,
  ): number | Else => (value === undefined ? otherwise : durationOption(value, name(option)));
  const timer = <Else>(option: keyof GetOrSetOptions, value: Duration | undefined, otherwise: Else): number | Else =>
    value === undefined ? otherwise : timerOption(value, name(option));
  const { ttl, jitter = base.jitter, earlyRefresh = base.earlyRefresh, backoff } = options;
  const eagerRefresh = options.eagerRefresh ?? base.eagerRefresh;
  checkRange(jitter, jitter >= 0 && jitter <= 1, name('jitter'), 'lie between 0 and 1');
  checkRange(earlyRefresh, earlyRefresh >= 0, name('earlyRefresh'), 'be 0 or more');
  if (eagerRefresh !== null) {
    checkRange(eagerRefresh, eagerRefresh > 0 && eagerRefresh < 1, name('eagerRefresh'), 'lie between 0 and 1');
  }
  return {
    ttl: typeof ttl === 'function' ? ttl : duration('ttl', ttl, base.ttl),
    jitter,
    negativeTtlMs: duration('negativeTtl', options.negativeTtl, base.negativeTtlMs),
    revalidateMs: duration('staleWhileRevalidate', options.staleWhileRevalidate, base.revalidateMs),
    failSafeMs: duration('failSafe', options.failSafe, base.failSafeMs),
    throttleMs: duration('throttle', options.throttle, base.throttleMs),
    softTimeoutMs: timer('softTimeout', options.softTimeout, base.softTimeoutMs),
    hardTimeoutMs: timer('hardTimeout', options.hardTimeout, base.hardTimeoutMs),
    eagerRefresh,
    earlyRefresh,
    backoffMs: backoff === false ? 0 : duration('backoff', backoff, base.backoffMs),
  };
}

/** How long one value lives. */
export class Lifetime {
  constructor(
    /** How long it is fresh; 0 when it must not be stored. */
    readonly freshMs: number,
    /** How long it is kept: fresh, and then stale. */
    readonly keptMs: number,
  ) {}
}

/**
 * The lifetime of a value, in whole milliseconds. `random` yields numbers from 0 to below 1.
 *
 * An absolute expiry becomes a duration by this process's clock: a server whose clock is off keeps the entry no longer for it.
 */
export function lifetimeOf(
  policy: Policy,
  value: unknown,
  expiresAt: Date | undefined,
  nowMs: number,
  random: () => number,
): Lifetime {
  const ttlMs = ttlOf(policy, value);
  const { jitter } = policy;
  const freshMs = jitter === 0 ? ttlMs : Math.max(Math.min(ttlMs, 1), Math.round(ttlMs * (1 - jitter * random())));
  const keptMs = freshMs === 0 ? 0 : freshMs + Math.max(policy.revalidateMs, policy.failSafeMs);
  if (expiresAt === undefined) return new Lifetime(freshMs, keptMs);
  const leftMs = expiresAt.getTime() - nowMs;
  if (Number.isNaN(leftMs)) throw new ConfigurationError('expiresAt is an invalid date.');
  const limit = Math.max(0, leftMs);
  return new Lifetime(Math.min(freshMs, limit), Math.min(keptMs, limit));
}

function ttlOf({ ttl, negativeTtlMs }: Policy, value: unknown): number {
  if (value === null && negativeTtlMs !== null) return negativeTtlMs;
  return typeof ttl === 'number' ? ttl : durationMs(ttl(value as never));
}

function checkRange(value: number, holds: boolean, option: string, range: string): void {
  if (!holds) throw new ConfigurationError(`${option} must ${range}; it is ${value}.`);
}

import type { Duration } from '../../core/time/duration.js';
import type { Caller } from '../../core/calls/caller.js';
import type { Tracker } from '../callers/tracker.js';

/** So many units in so long a time: `'10/s'`, `'100/15m'`. */
export type Rate = `${number}/${'s' | 'm' | 'h' | 'd' | Duration}`;

/** A number from 1 to 1,000,000,000, or a function that gives it for a caller: tiers. The caller is undefined where `RateLimiter` was called without one. */
export type Limit = number | ((caller: Caller | undefined) => number);

/**
 * What becomes of requests while Redis is away or does not answer in time: all are admitted, all are refused, or each process counts for itself, with its
 * share of the limit.
 */
export type WhenRedisIsDown = 'allow' | 'deny' | 'local';

/** What every policy has. */
export interface PolicySettings {
  /** Stands in headers, in answers and in keys. Routes share a counter only when they share a policy by name. */
  readonly name: string;
  /** Whose counter it is. Default: the module's. */
  readonly tracker?: Tracker;
  /** Units that one request takes, at least 1. Default 1. */
  readonly cost?: number | ((caller: Caller) => number);
  /** Requests for which it returns true are not counted by this policy. */
  readonly skip?: (caller: Caller) => boolean;
  /** Decides and counts, and refuses nobody. Default false. */
  readonly shadow?: boolean;
  /** After a refusal everything is refused for so long, and then the count begins anew. Default: no longer than the limit asks for. */
  readonly blockFor?: Duration;
  /** Default: the module's. */
  readonly whenRedisIsDown?: WhenRedisIsDown;
  /** Applies only where `@RateLimit` or a call names it. Default false: it applies to every guarded route. */
  readonly optIn?: boolean;
}

/** What says how a policy counts is of one kind. */
type Without<Options extends string> = { readonly [Option in Options]?: never };

/** So many units in a window of time. */
export interface WindowPolicy
  extends PolicySettings, Without<'rate' | 'burst' | 'capacity' | 'refill' | 'concurrent' | 'lease'> {
  readonly limit: Limit;
  /** At least 1 ms, at most 366 days. */
  readonly window: Duration;
  /**
   * - `'sliding-window'` (the default): never more than `limit` in any window, in constant memory; a unit counts for up to an 18th of the window too long.
   * - `'sliding-log'`: exactly `limit` in any window; memory grows with the limit.
   * - `'fixed-window'`: begins with a caller's first request; up to twice the limit around its end.
   * - `'sliding-counter'`: an estimate from two counters, which assumes that requests came evenly.
   */
  readonly algorithm?: 'sliding-window' | 'sliding-log' | 'fixed-window' | 'sliding-counter';
}

/** GCRA: units come evenly, and `burst` of them may be taken at once. Admits at most `burst + rate * t` in any time `t`. */
export interface RatePolicy
  extends PolicySettings, Without<'limit' | 'window' | 'algorithm' | 'capacity' | 'refill' | 'concurrent' | 'lease'> {
  readonly rate: Rate;
  readonly burst: Limit;
}

/** A token bucket that is refilled in lumps: of `refill: '10/1s'`, ten tokens each second. */
export interface BucketPolicy
  extends PolicySettings, Without<'limit' | 'window' | 'algorithm' | 'rate' | 'burst' | 'concurrent' | 'lease'> {
  readonly capacity: Limit;
  readonly refill: Rate;
}

/** So many requests at once. A slot is given back when the request is done, and at the end of its lease when its process died. */
export interface ConcurrencyPolicy
  extends PolicySettings, Without<'limit' | 'window' | 'algorithm' | 'rate' | 'burst' | 'capacity' | 'refill'> {
  readonly concurrent: Limit;
  /** How long a dead process keeps a slot, 1 second to an hour; a living one renews it. Default `'30s'`. */
  readonly lease?: Duration;
}

/** A limit, by the algorithm that its options tell. */
export type RateLimitPolicy = WindowPolicy | RatePolicy | BucketPolicy | ConcurrencyPolicy;

/** The same for one route, which need not have a name: it belongs to the route. With the name of a policy of the module it replaces that one here. */
export type RoutePolicy =
  Nameless<WindowPolicy> | Nameless<RatePolicy> | Nameless<BucketPolicy> | Nameless<ConcurrencyPolicy>;

type Nameless<Policy extends PolicySettings> = Omit<Policy, 'name' | 'optIn'> & { readonly name?: string };

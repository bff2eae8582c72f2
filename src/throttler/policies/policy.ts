import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { KeySpace } from '../../core/keys/key-space.js';
import { durationOption } from '../../core/time/duration-option.js';
import type { Caller } from '../../core/calls/caller.js';
import type { Tracker } from '../callers/tracker.js';
import { RateLimitUsageError } from '../throttler.errors.js';
import { algorithmOf, KIND, type Algorithm } from './algorithm.js';
import type { RoutePolicy, WhenRedisIsDown } from './policy.options.js';

/** What policies take from the module. */
export interface PolicyDefaults {
  readonly tracker: Tracker;
  readonly whenRedisIsDown: WhenRedisIsDown;
}

/** A policy as the script is told it: the limit and the units of one request filled in. Equal ones are the same object. */
export interface Definition {
  readonly limit: number;
  readonly units: number;
  /** In how many seconds, rounded up, the limit is meant; undefined for a limit of requests at once. */
  readonly windowSeconds: number | undefined;
  /** See lua/throttler/consume.lua. */
  readonly words: readonly number[];
}

const MODES: readonly WhenRedisIsDown[] = ['allow', 'deny', 'local'];

/** A policy with its options checked and its defaults filled in. */
export class Policy {
  readonly tracker: Tracker;
  readonly shadow: boolean;
  readonly blockMs: number;
  readonly whenRedisIsDown: WhenRedisIsDown;
  readonly skip: ((caller: Caller) => boolean) | undefined;
  /** How the key of a caller's counter goes on behind the caller's own. */
  readonly suffix: string;
  #definition: Definition | undefined;

  /** @param owner what its counter belongs to besides its name: a route, or nothing */
  constructor(
    readonly name: string,
    readonly owner: string | undefined,
    readonly algorithm: Algorithm,
    private readonly options: RoutePolicy,
    defaults: PolicyDefaults,
    at: (option: string) => string,
  ) {
    this.suffix = suffixOf(name, owner, algorithm);
    this.tracker = options.tracker ?? defaults.tracker;
    this.shadow = options.shadow ?? false;
    this.blockMs = options.blockFor === undefined ? 0 : durationOption(options.blockFor, at('blockFor'));
    this.whenRedisIsDown = options.whenRedisIsDown ?? defaults.whenRedisIsDown;
    this.skip = options.skip;
    if (!MODES.includes(this.whenRedisIsDown)) {
      throw new ConfigurationError(`${at('whenRedisIsDown')} must be 'allow', 'deny' or 'local'.`);
    }
    this.#checkCost(at('cost'));
  }

  get isConcurrency(): boolean {
    return this.algorithm.kind === KIND.concurrency;
  }

  /** Throws `RateLimitUsageError` when a function of the options gives what cannot be. */
  limitFor(caller: Caller | undefined): number {
    const { limit, mostUnits } = this.algorithm;
    if (typeof limit === 'number') return limit;
    const given = limit(caller);
    if (Number.isInteger(given) && given >= 1 && given <= mostUnits) return given;
    throw new RateLimitUsageError(
      `The limit of policy '${this.name}' must be a whole number from 1 to ${mostUnits}; its function gave ${String(given)}.`,
    );
  }

  costFor(caller: Caller): number {
    const { cost = 1 } = this.options;
    return typeof cost === 'number' ? cost : cost(caller);
  }

  /** Throws `RateLimitUsageError` when so many units can never be had. */
  definition(limit: number, units: number): Definition {
    const last = this.#definition;
    if (last !== undefined && last.limit === limit && last.units === units) return last;
    if (!Number.isInteger(units) || units === 0 || Math.abs(units) > limit) {
      throw new RateLimitUsageError(
        `A request can take from 1 to ${limit} units of policy '${this.name}'; it asked for ${String(units)}.`,
      );
    }
    const windowSeconds = this.algorithm.windowSeconds?.(limit);
    return (this.#definition = { limit, units, windowSeconds, words: this.#words(limit, units) });
  }

  #words(limit: number, units: number): readonly number[] {
    const { kind, a, b } = this.algorithm;
    const head = kind + (this.shadow ? 8 : 0) + (this.blockMs > 0 ? 16 : 0);
    const words = kind === KIND.gcra || kind === KIND.bucket ? [head, limit, a, b, units] : [head, limit, a, units];
    return this.blockMs > 0 ? [...words, this.blockMs] : words;
  }

  #checkCost(option: string): void {
    const { cost = 1 } = this.options;
    const { limit } = this.algorithm;
    if (typeof cost === 'function') return;
    if (!Number.isInteger(cost) || cost < 1) {
      throw new ConfigurationError(`${option} must be a whole number above 0; it is ${String(cost)}.`);
    }
    if (typeof limit === 'number' && cost > limit) {
      throw new ConfigurationError(`${option} is ${cost} and the limit ${limit}: no request could ever succeed.`);
    }
  }
}

const ANY_SPACE = new KeySpace('any', 'limit');
const ANY_CALLER = ANY_SPACE.key('any');

function suffixOf(name: string, owner: string | undefined, { shape }: Algorithm): string {
  const parts = owner === undefined ? [name, shape] : [name, owner, shape];
  return ANY_SPACE.key('any', ...parts).slice(ANY_CALLER.length);
}

/** Checks a policy's options. Throws `ConfigurationError` naming `where`, the option and the fix. */
export function resolvePolicy(
  options: RoutePolicy & { readonly name: string },
  owner: string | undefined,
  defaults: PolicyDefaults,
  where: string,
): Policy {
  if (typeof options.name !== 'string' || !/^[\x20-\x7e]{1,64}$/.test(options.name)) {
    throw new ConfigurationError(
      `${where}: a policy's name must be 1 to 64 printable ASCII characters, since it stands in headers. Give it one by 'name'.`,
    );
  }
  const at = (option: string): string => `${where}: ${option} of policy '${options.name}'`;
  return new Policy(options.name, owner, algorithmOf(options, at), options, defaults, at);
}

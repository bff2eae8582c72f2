import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import { systemClock } from '../../../src/core/time/clock.js';
import { Ask } from '../../../src/throttler/engine/ask.js';
import { RedisLimits } from '../../../src/throttler/engine/redis-limits.js';
import { algorithmOf } from '../../../src/throttler/policies/algorithm.js';
import type { RoutePolicy } from '../../../src/throttler/policies/policy.options.js';
import { resolvePolicy } from '../../../src/throttler/policies/policy.js';
import type { Policy } from './oracle.js';

/** The injected time may run behind the real one: so that no key goes too early, it is kept for longer. */
const HOLD_MS = 600_000;

/** The machine that runs the tests is busy. */
const DEADLINE_MS = 30_000;

/** What a counter says to one request. */
export interface TimedAnswer {
  readonly admitted: boolean;
  readonly remaining: number;
  readonly resetMs: number;
  readonly retryMs: number;
}

interface TimedOptions {
  /** What the script is given as its clock, for each call anew: minus the time that it is to be, or the latest time for a decision. */
  readonly clockUs: () => number;
  /** Whether every key that a call names is kept for ten minutes. Else it goes when the script says. */
  readonly holds?: boolean;
}

/** A connection over which scripts of limits go by the test's time; on the real server. */
export function timedConnection(
  connection: RedisConnection,
  { clockUs, holds = false }: TimedOptions,
): RedisConnection {
  const run = async (script: never, { keys }: { readonly keys: readonly string[] }, args: object, options: never) => {
    // In one turn, hence one after the other.
    const [reply] = await Promise.all([
      connection.scripts.run(script, { keys }, { ...args, clockUs: clockUs() }, options),
      ...(holds ? keys : []).map((key) => connection.send('PEXPIRE', [key, HOLD_MS])),
    ]);
    return reply;
  };
  const { name, keyPrefix } = connection;
  const groupOf = (key: string): number => connection.groupOf(key);
  return { name, keyPrefix, groupOf, scripts: { run } } as unknown as RedisConnection;
}

/** The counter of one caller by one policy at a time, which may be another one the next time. */
export class TimedCounter {
  readonly #limits: RedisLimits;
  #nowUs = 0;

  constructor(
    connection: RedisConnection,
    /** With a hash tag. */
    private readonly key: string,
  ) {
    const timed = timedConnection(connection, { clockUs: () => -this.#nowUs, holds: true });
    this.#limits = new RedisLimits(timed, systemClock, DEADLINE_MS);
  }

  consume(policy: RoutePolicy, nowUs: number, units: number): Promise<TimedAnswer> {
    return this.#ask('consume', policy, nowUs, units);
  }

  penalize(policy: RoutePolicy, nowUs: number, units: number): Promise<TimedAnswer> {
    return this.#ask('charge', policy, nowUs, units);
  }

  async #ask(how: 'consume' | 'charge', options: RoutePolicy, nowUs: number, units: number): Promise<TimedAnswer> {
    this.#nowUs = nowUs;
    const { admitted, states } = await this.#limits[how](askOf(this.key, options, units));
    return { admitted, ...(states[0] ?? { remaining: NaN, resetMs: NaN, retryMs: NaN }) };
  }
}

/** A request of one policy. */
export function askOf(key: string, options: RoutePolicy, units: number): Ask {
  const defaults = { tracker: () => '', whenRedisIsDown: 'deny' } as const;
  const policy = resolvePolicy({ ...options, name: 'p' }, undefined, defaults, 'test');
  const definition = policy.definition(policy.limitFor(undefined), units);
  return new Ask([{ policy, definition, key, callerKey: `${key}:caller` }], 0);
}

/** A policy in the terms of the oracles. */
export function termsOf(options: RoutePolicy): Policy {
  const { kind, limit, a, b } = algorithmOf(options, (option) => option);
  return { kind, limit: limit as number, a, b };
}

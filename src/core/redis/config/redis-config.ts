import { ConfigurationError } from '../../errors/configuration.error.js';
import { KeySpace } from '../../keys/key-space.js';
import { durationMs, type Duration } from '../../time/duration.js';
import { checkTarget } from './check-target.js';
import type { RedisBehaviour, RedisConnectionOptions, RedisModuleOptions } from './redis.options.js';

/** Name of the connection that needs no name. */
export const DEFAULT_CONNECTION = 'default';

/** Node turns a longer timer into one of 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A connection's options with every default filled in and every duration in milliseconds. */
export interface RedisConnectionConfig {
  readonly name: string;
  readonly target: RedisConnectionOptions;
  readonly keyPrefix: string;
  readonly deadlineMs: number;
  readonly connectWithinMs: number;
  readonly required: boolean;
  readonly slowLimit: number;
  readonly probeIntervalMs: number;
  readonly hangMs: number;
}

/** Applies defaults and checks everything that can be checked without a server. Throws `ConfigurationError`. */
export function resolveRedisConfig(options: RedisModuleOptions): RedisConnectionConfig[] {
  const { connections = {}, ...defaults } = options;
  if (DEFAULT_CONNECTION in connections) {
    throw new ConfigurationError(
      `RedisModule: connections.${DEFAULT_CONNECTION} is not allowed, because the options beside 'connections' are the default connection. Move them there.`,
    );
  }
  return [
    resolveConnection(DEFAULT_CONNECTION, defaults),
    ...Object.entries(connections).map(([name, target]) => resolveConnection(name, target)),
  ];
}

function resolveConnection(name: string, target: RedisConnectionOptions): RedisConnectionConfig {
  const option = (path: string): string =>
    name === DEFAULT_CONNECTION ? `RedisModule: ${path}` : `RedisModule: connections.${name}.${path}`;
  checkTarget(target, option);
  const behaviour: RedisBehaviour = target;
  const { slowLimit = 20, probeInterval = '250ms', hangLimit = '5s' } = behaviour.breaker ?? {};
  if (!Number.isInteger(slowLimit) || slowLimit < 1) {
    throw new ConfigurationError(`${option('breaker.slowLimit')} must be a whole number of at least 1.`);
  }
  return {
    name,
    target,
    keyPrefix: keyPrefix(behaviour.keyPrefix ?? 'rookery', option('keyPrefix')),
    deadlineMs: positive(behaviour.deadline ?? '1s', option('deadline')),
    connectWithinMs: positive(behaviour.connectWithin ?? '2s', option('connectWithin')),
    required: behaviour.required ?? false,
    slowLimit,
    probeIntervalMs: positive(probeInterval, option('breaker.probeInterval')),
    hangMs: positive(hangLimit, option('breaker.hangLimit')),
  };
}

function keyPrefix(prefix: string, option: string): string {
  try {
    new KeySpace(prefix, 'check');
    return prefix;
  } catch {
    throw new ConfigurationError(`${option} must be letters, digits and _ - . @ / +, with : between them.`);
  }
}

function positive(duration: Duration, option: string): number {
  const ms = parse(duration);
  if (ms === null || ms < 1 || ms > LONGEST_TIMER_MS) {
    throw new ConfigurationError(
      `${option} must be a duration longer than nothing and no longer than '24d', with its unit: '250ms', '30s', '15m'.`,
    );
  }
  return ms;
}

function parse(duration: Duration): number | null {
  try {
    return durationMs(duration);
  } catch {
    return null;
  }
}

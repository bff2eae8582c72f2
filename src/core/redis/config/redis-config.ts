import { ConfigurationError } from '../../errors/configuration.error.js';
import { KeySpace } from '../../keys/key-space.js';
import { timerOption } from '../../time/duration-option.js';
import { checkTarget } from './check-target.js';
import type { RedisBehaviour, RedisConnectionOptions, RedisModuleOptions } from './redis.options.js';

/** Name of the connection that needs no name. */
export const DEFAULT_CONNECTION = 'default';

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
    deadlineMs: timerOption(behaviour.deadline ?? '1s', option('deadline')),
    connectWithinMs: timerOption(behaviour.connectWithin ?? '2s', option('connectWithin')),
    required: behaviour.required ?? false,
    slowLimit,
    probeIntervalMs: timerOption(probeInterval, option('breaker.probeInterval')),
    hangMs: timerOption(hangLimit, option('breaker.hangLimit')),
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

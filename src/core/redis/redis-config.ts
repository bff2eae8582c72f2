import { Cluster } from 'ioredis';
import { ConfigurationError } from '../errors/configuration.error.js';
import { durationMs, type Duration } from '../time/duration.js';
import type { RedisBehaviour, RedisConnectionOptions, RedisModuleOptions } from './redis.options.js';

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
    keyPrefix: behaviour.keyPrefix ?? 'rookery',
    deadlineMs: positive(behaviour.deadline ?? '1s', option('deadline')),
    connectWithinMs: positive(behaviour.connectWithin ?? '2s', option('connectWithin')),
    required: behaviour.required ?? false,
    slowLimit,
    probeIntervalMs: positive(probeInterval, option('breaker.probeInterval')),
    hangMs: positive(hangLimit, option('breaker.hangLimit')),
  };
}

function positive(duration: Duration, option: string): number {
  const ms = durationMs(duration);
  if (ms < 1) throw new ConfigurationError(`${option} must be longer than 0; it is '${duration}'.`);
  return ms;
}

/** Scheme and path: the path is empty, or the number of a database. */
const TCP_URL = /^rediss?:\/\/(\/\d*)?$/;

function checkTarget(target: RedisConnectionOptions, option: (path: string) => string): void {
  const given = (['url', 'sentinel', 'cluster', 'client'] as const).filter((kind) => kind in target);
  if (given.length > 1) {
    throw new ConfigurationError(`${option(given.join(' and '))} exclude each other: give the one that is meant.`);
  }
  if ('client' in target) {
    const ownPrefix =
      target.client instanceof Cluster ? target.client.options.keyPrefix : target.client.options.keyPrefix;
    if (ownPrefix) {
      throw new ConfigurationError(
        `${option('client')} has a keyPrefix of its own, which scans and invalidations cannot see. Give it to RedisModule as 'keyPrefix' and a client without one.`,
      );
    }
    return;
  }
  if ('sentinel' in target) {
    if (target.sentinel.nodes.length === 0)
      throw new ConfigurationError(`${option('sentinel.nodes')} must not be empty.`);
    if (target.sentinel.name === '') throw new ConfigurationError(`${option('sentinel.name')} must not be empty.`);
    return;
  }
  if ('cluster' in target) {
    if (target.cluster.nodes.length === 0)
      throw new ConfigurationError(`${option('cluster.nodes')} must not be empty.`);
    return;
  }
  checkUrl(target.url, option('url'));
}

/** The value is not repeated in the message: a URL may hold a password. */
function checkUrl(url: string | undefined, option: string): void {
  if (url === undefined) return;
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const valid =
    parsed !== null && (parsed.protocol === 'unix:' || TCP_URL.test(`${parsed.protocol}//${parsed.pathname}`));
  if (!valid) {
    throw new ConfigurationError(
      `${option} must be a redis://, rediss:// or unix:// URL, such as redis://127.0.0.1:6379/0.`,
    );
  }
}

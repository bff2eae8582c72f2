import type { Cluster } from 'ioredis';
import { ConfigurationError } from '../../errors/configuration.error.js';
import type {
  ClusterRedisOptions,
  ExistingClientOptions,
  RedisAddress,
  RedisConnectionOptions,
  SentinelRedisOptions,
  SingleRedisOptions,
} from './redis.options.js';

/** Gives an option's path the words around it: `url` becomes `RedisModule: connections.jobs.url`. */
export type OptionName = (path: string) => string;

/** Checks where a connection leads, as far as that can be done without a server. No message repeats a value: it may hold a password. */
export function checkTarget(target: RedisConnectionOptions, option: OptionName): void {
  const given = KINDS.filter((kind) => (target as Record<string, unknown>)[kind] !== undefined);
  if (given.length > 1) {
    throw new ConfigurationError(`${option(given.join(' and '))} exclude each other: give the one that is meant.`);
  }
  if (given[0] === 'client') checkClient(target as ExistingClientOptions, option);
  else checkServer(target, option);
}

const KINDS = ['url', 'sentinel', 'cluster', 'client'] as const;

function checkClient({ client }: ExistingClientOptions, option: OptionName): void {
  if (typeof client.duplicate !== 'function') {
    throw new ConfigurationError(`${option('client')} must be a Redis or a Cluster of ioredis 6.`);
  }
  if (client.options.keyPrefix) {
    throw new ConfigurationError(
      `${option('client')} has a keyPrefix of its own, which scans and invalidations cannot see. Give it to RedisModule as 'keyPrefix' and a client without one.`,
    );
  }
  const scaleReads = client.isCluster ? (client as Cluster).options.scaleReads : undefined;
  if (scaleReads !== undefined && scaleReads !== 'master') {
    throw new ConfigurationError(
      `${option('client')} reads from replicas, which may not yet have what was just written. Give a Cluster with scaleReads: 'master'.`,
    );
  }
}

function checkServer(target: Exclude<RedisConnectionOptions, ExistingClientOptions>, option: OptionName): void {
  if (target.username !== undefined && target.password === undefined) {
    throw new ConfigurationError(`${option('username')} needs a password beside it.`);
  }
  if ('sentinel' in target && target.sentinel !== undefined) checkSentinel(target, option);
  else if ('cluster' in target && target.cluster !== undefined) checkCluster(target, option);
  else checkUrl((target as SingleRedisOptions).url, option('url'));
  if ('db' in target && target.db !== undefined && !(Number.isInteger(target.db) && target.db >= 0)) {
    throw new ConfigurationError(`${option('db')} must be a whole number of at least 0.`);
  }
}

function checkSentinel({ sentinel }: SentinelRedisOptions, option: OptionName): void {
  checkAddresses(sentinel.nodes, option('sentinel.nodes'));
  if (!sentinel.name) {
    throw new ConfigurationError(`${option('sentinel.name')} must be the name that the Sentinels know the primary by.`);
  }
}

function checkCluster(target: ClusterRedisOptions, option: OptionName): void {
  checkAddresses(target.cluster.nodes, option('cluster.nodes'));
  if ('db' in target)
    throw new ConfigurationError(`${option('db')} does not go with a cluster, which has database 0 only.`);
}

function checkAddresses(nodes: readonly RedisAddress[] | undefined, option: string): void {
  const isAddress = ({ host, port }: RedisAddress): boolean =>
    typeof host === 'string' && host !== '' && Number.isInteger(port) && port > 0 && port < 65_536;
  if (!Array.isArray(nodes) || nodes.length === 0 || !nodes.every(isAddress)) {
    throw new ConfigurationError(`${option} must list at least one { host, port }, with ports from 1 to 65535.`);
  }
}

/** The path of a TCP URL: empty, or the number of a database. */
const DATABASE_PATH = /^(\/\d*)?$/;

function checkUrl(url: string | undefined, option: string): void {
  if (url === undefined) return;
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !(isSocketUrl(parsed) || isTcpUrl(parsed))) {
    throw new ConfigurationError(
      `${option} must be redis://[user:password@]host[:port][/db], the same with rediss://, or unix:///path. In user and password, write special characters as %xx.`,
    );
  }
  if (parsed.search !== '' || parsed.hash !== '') {
    throw new ConfigurationError(
      `${option} must end after the path: what '?' and '#' bring is for the options beside it.`,
    );
  }
  if (parsed.username !== '' && parsed.password === '') {
    throw new ConfigurationError(
      `${option} names a user and no password: write redis://:password@host when that was one.`,
    );
  }
}

function isTcpUrl({ protocol, pathname, username, password }: URL): boolean {
  return (
    (protocol === 'redis:' || protocol === 'rediss:') &&
    DATABASE_PATH.test(pathname) &&
    isDecodable(username) &&
    isDecodable(password)
  );
}

function isSocketUrl({ protocol, hostname, pathname }: URL): boolean {
  return protocol === 'unix:' && hostname === '' && /^\/./.test(pathname) && isDecodable(pathname);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

import { Cluster, Redis, type ClusterOptions, type RedisOptions as IoredisOptions } from 'ioredis';
import type { RedisConnectionConfig } from './redis-config.js';
import { parseRedisUrl } from './redis-url.js';
import type {
  ClusterRedisOptions,
  RedisConnectionOptions,
  SentinelRedisOptions,
  SingleRedisOptions,
} from './redis.options.js';

/** Without the reply mapping, which selects among ioredis's own overloads and which we leave alone. */
type RedisOptions = Omit<IoredisOptions, 'replyMapping'>;

const FIRST_RETRY_MS = 25;
const LONGEST_RETRY_MS = 500;
const SLOTS_REFRESH_MS = 2_000;
const DEFAULT_URL = 'redis://127.0.0.1:6379';

/** Quick at first, then at most twice a second: a server that is back is found within half a second. Jitter keeps a fleet from knocking in step. */
export function reconnectDelayMs(attempt: number): number {
  const backoff = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt, 10), LONGEST_RETRY_MS);
  return Math.ceil(backoff * (0.5 + Math.random() / 2));
}

/**
 * What each of our connections has in common. The aim: a command is sent once or not at all. ioredis would by default send
 * it again after a reconnect, and so run an INCR twice; and it would queue without bound while there is no connection.
 */
function commonOptions(config: RedisConnectionConfig): RedisOptions {
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: config.connectWithinMs,
    maxLoadingRetryTime: config.probeIntervalMs,
    connectionName: `rookery:${config.name}`,
    // RESP2 and RESP3 give these modules the same replies, and every server and proxy speaks RESP2.
    protocol: 2 as const,
    ...credentials(config.target),
    ...('tls' in config.target && config.target.tls !== undefined ? { tls: config.target.tls } : {}),
  };
}

function credentials(target: RedisConnectionOptions): Pick<RedisOptions, 'username' | 'password'> {
  if ('client' in target) return {};
  return {
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password }),
  };
}

/** The client for commands, not connected yet. `overrides` make the variants for other roles. */
export function createClient(config: RedisConnectionConfig): Redis | Cluster {
  const { target } = config;
  if ('client' in target) return target.client;
  return 'cluster' in target
    ? createCluster(config, target.cluster)
    : createNode(config, { retryStrategy: reconnectDelayMs });
}

/**
 * A further connection to the same place for one purpose, not connected yet, which does not reconnect by itself: its owner makes
 * a new one. On a cluster it leads to one of the masters.
 */
export function createDedicated(config: RedisConnectionConfig, commands: Redis | Cluster): Redis | null {
  const own: RedisOptions = {
    retryStrategy: null,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    protocol: 2 as const,
  };
  if (commands instanceof Cluster) {
    const masters = commands.nodes('master');
    const [master] = masters.filter((node) => node.status === 'ready').sort(() => Math.random() - 0.5);
    return (master ?? masters[0])?.duplicate(own) ?? null;
  }
  return 'client' in config.target ? commands.duplicate(own) : createNode(config, own);
}

function createNode(config: RedisConnectionConfig, role: RedisOptions): Redis {
  const target = config.target as SingleRedisOptions | SentinelRedisOptions;
  const where = 'sentinel' in target ? sentinelOptions(target.sentinel) : parseRedisUrl(target.url ?? DEFAULT_URL);
  return new Redis({
    ...where,
    ...commonOptions(config),
    ...(target.db === undefined ? {} : { db: target.db }),
    ...role,
  });
}

function sentinelOptions({ name, nodes, username, password, tls }: SentinelRedisOptions['sentinel']): RedisOptions {
  return {
    name,
    sentinels: nodes.map(({ host, port }) => ({ host, port })),
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
    sentinelRetryStrategy: reconnectDelayMs,
    // After a failover the old primary refuses writes; ask the Sentinels again who leads.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

function createCluster(config: RedisConnectionConfig, { nodes, natMap }: ClusterRedisOptions['cluster']): Cluster {
  const { enableOfflineQueue: _perNode, ...redisOptions } = commonOptions(config);
  const options = {
    redisOptions,
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: reconnectDelayMs,
    clusterNodeRetryStrategy: reconnectDelayMs,
    // A command whose connection broke may have run: sending it again is for its caller to decide.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    ...(natMap === undefined ? {} : { natMap: { ...natMap } }),
  } satisfies ClusterOptions;
  return new Cluster(
    nodes.map(({ host, port }) => ({ host, port })),
    options,
  );
}

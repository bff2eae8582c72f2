import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import { reconnectDelayMs } from './reconnect-delay.js';
import type { RedisConnectionConfig } from '../config/redis-config.js';
import { parseRedisUrl } from '../config/redis-url.js';
import type {
  ClusterRedisOptions,
  RedisConnectionOptions,
  SentinelRedisOptions,
  SingleRedisOptions,
} from '../config/redis.options.js';

/** Without the reply mapping, which selects among ioredis's own overloads and which we leave alone. */
export type NodeOptions = Omit<RedisOptions, 'replyMapping'>;

const DEFAULT_URL = 'redis://127.0.0.1:6379';

/** For TCP and TLS together. */
const CONNECT_TIMEOUT_MS = 2_000;

/** How long a Sentinel may take to answer: one that is frozen must not keep us from asking the next. */
const SENTINEL_TIMEOUT_MS = 500;

/** How long a connection that was hung up on may take to end, before it is cut. */
export const DISCONNECT_TIMEOUT_MS = 100;

/** The client for commands, not connected yet. */
export function createClient(config: RedisConnectionConfig): Redis | Cluster {
  const { target } = config;
  if ('client' in target) return target.client;
  return 'cluster' in target ? createCluster(config, target) : createNode(config, { retryStrategy: reconnectDelayMs });
}

/** A client to one server, or to the primary behind Sentinels. `role` says what it is for. */
export function createNode(config: RedisConnectionConfig, role: NodeOptions): Redis {
  const target = config.target as SingleRedisOptions | SentinelRedisOptions;
  const where = 'sentinel' in target ? sentinelOptions(target) : parseRedisUrl(target.url ?? DEFAULT_URL);
  return new Redis({
    ...where,
    ...commonOptions(config),
    ...(target.db === undefined ? {} : { db: target.db }),
    ...role,
  });
}

/**
 * What each of our connections has in common. The aim: a command is sent once or not at all. ioredis would by default send
 * it again after a reconnect, and so run an INCR twice; and it would queue without bound while there is no connection.
 */
function commonOptions(config: RedisConnectionConfig): NodeOptions {
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
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

function sentinelOptions({ sentinel, tls }: SentinelRedisOptions): NodeOptions {
  return {
    name: sentinel.name,
    sentinels: sentinel.nodes.map(({ host, port }) => ({ host, port })),
    ...(sentinel.username === undefined ? {} : { sentinelUsername: sentinel.username }),
    ...(sentinel.password === undefined ? {} : { sentinelPassword: sentinel.password }),
    ...(sentinel.tls === undefined ? {} : { sentinelTLS: sentinel.tls }),
    // Despite its name, it decides about TLS towards the servers that the Sentinels lead to.
    enableTLSForSentinelMode: tls !== undefined,
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    sentinelRetryStrategy: reconnectDelayMs,
    // After a failover the old primary refuses writes; ask the Sentinels again who leads.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

function createCluster(config: RedisConnectionConfig, { cluster }: ClusterRedisOptions): Cluster {
  const { enableOfflineQueue: _perNode, ...redisOptions } = commonOptions(config);
  const options = {
    redisOptions,
    lazyConnect: true,
    enableOfflineQueue: false,
    // It asks one node at random, which may be the one that hangs. Each node's own ready check finds one that is still loading.
    enableReadyCheck: false,
    clusterRetryStrategy: reconnectDelayMs,
    // A command whose connection broke may have run: sending it again is for its caller to decide.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // Names are resolved at each connection, and TLS needs them to check certificates against.
    dnsLookup: (host, callback) => callback(null, host),
    ...(cluster.natMap === undefined ? {} : { natMap: { ...cluster.natMap } }),
  } satisfies ClusterOptions;
  return new Cluster(
    cluster.nodes.map(({ host, port }) => ({ host, port })),
    options,
  );
}

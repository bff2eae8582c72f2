import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { Cluster, Redis } from 'ioredis';
import type { Duration } from '../../time/duration.js';

/** Where a server listens. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** Who we are to the server. */
export interface RedisCredentials {
  /** ACL user. Default: the server's `default` user. */
  readonly username?: string;
  readonly password?: string;
}

/** What holds for every connection, wherever it leads. */
export interface RedisBehaviour {
  /** First segment of every key, so that applications can share a server. Default `'rookery'`. */
  readonly keyPrefix?: string;
  /** How long a command may take when the feature that sends it sets no deadline of its own. Default `'1s'`. */
  readonly deadline?: Duration;
  /**
   * How long the application waits for Redis while it boots. Then it starts without, and goes on trying. Default `'2s'`.
   */
  readonly connectWithin?: Duration;
  /** Fail the boot when Redis cannot be reached within `connectWithin`. Default false. */
  readonly required?: boolean;
  readonly breaker?: {
    /** Deadlines missed in a row, by a server that still answers others, until it is left alone. Default 20. A silent server is left alone at once. */
    readonly slowLimit?: number;
    /** How often a server that was too slow is asked again. Default `'250ms'`. */
    readonly probeInterval?: Duration;
    /** How long a connection may stay mute, in its handshake or after a deadline was missed, before it is replaced. Default `'5s'`. */
    readonly hangLimit?: Duration;
  };
}

/** One server. */
export interface SingleRedisOptions extends RedisBehaviour, RedisCredentials {
  /** `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS, or `unix:///path`. Default `redis://127.0.0.1:6379`. */
  readonly url?: string;
  /** Database number, 0 to 15 as a rule. Default: the URL's, else 0. */
  readonly db?: number;
  /** TLS details, such as `ca`. A `rediss://` URL turns TLS on without them. */
  readonly tls?: TlsOptions;
}

/** A primary that Sentinels watch over; we follow it through failovers. */
export interface SentinelRedisOptions extends RedisBehaviour, RedisCredentials {
  readonly sentinel: RedisCredentials & {
    /** The primary's name, as the Sentinels know it. */
    readonly name: string;
    readonly nodes: readonly RedisAddress[];
    /** TLS towards the Sentinels themselves. */
    readonly tls?: TlsOptions;
  };
  readonly db?: number;
  /** TLS towards the Redis servers. */
  readonly tls?: TlsOptions;
}

/** Redis Cluster. */
export interface ClusterRedisOptions extends RedisBehaviour, RedisCredentials {
  readonly cluster: {
    /** Some of the nodes; the rest are discovered. */
    readonly nodes: readonly RedisAddress[];
    /** Addresses as the nodes announce them, to addresses that we can reach: `{ '10.0.0.1:6379': { host: '127.0.0.1', port: 7001 } }`. */
    readonly natMap?: Readonly<Record<string, RedisAddress>>;
  };
  readonly tls?: TlsOptions;
}

/**
 * A client that the application already has. Rookery sends its commands through it and never closes it, not even a connection that hangs; further
 * connections, for subscriptions and blocking reads, are duplicates that Rookery owns.
 *
 * ioredis by default sends commands again after a reconnection, so that a write can be carried out twice. Give a client made with
 * `maxRetriesPerRequest: 0` (a Cluster: `retryDelayOnFailover: 0` too) where that matters.
 */
export interface ExistingClientOptions extends RedisBehaviour {
  /**
   * Must have no `keyPrefix` of its own, which scans and invalidations would not see, and must read from primaries (`scaleReads: 'master'`, the default).
   */
  readonly client: Redis | Cluster;
}

/** Where a connection leads, and how it behaves. */
export type RedisConnectionOptions =
  SingleRedisOptions | SentinelRedisOptions | ClusterRedisOptions | ExistingClientOptions;

/** The default connection's options and, beside it, further named ones. */
export type RedisModuleOptions = RedisConnectionOptions & {
  /** Further connections by name, for `@InjectRedis('name')` and for the `connection` option of the features. */
  readonly connections?: Readonly<Record<string, RedisConnectionOptions>>;
};

import type {
  ClusterRedisOptions,
  SentinelRedisOptions,
  SingleRedisOptions,
} from '../../core/redis/config/redis.options.js';
import type { RedisBinary, RedisFlavour } from '../binary/redis-binary.js';
import type { RedisAccess, RedisAddress } from './redis-address.js';
import type { RedisNode } from './redis-node.js';
import type { RedisTopology } from './start-redis.options.js';

/** The name under which the Sentinels of `startRedis({ topology: 'sentinel' })` know their master. */
export const SENTINEL_MASTER_NAME = 'rookery';

/** How a client reaches the servers, in the terms of `RedisModule.forRoot`. */
export type RedisServerConnectionOptions = SingleRedisOptions | SentinelRedisOptions | ClusterRedisOptions;

/** The nodes of a topology that is complete and answers. */
export interface StartedTopology {
  readonly nodes: readonly RedisNode[];
  readonly sentinels: readonly RedisNode[];
}

/** What a {@link RedisServer} is made of. */
export interface RedisServerParts extends StartedTopology {
  readonly topology: RedisTopology;
  readonly binary: RedisBinary;
  readonly access: RedisAccess;
  readonly sentinelPassword: string | undefined;
  readonly dataDir: string;
  /** Ends every process and removes what is not to be kept. */
  readonly stop: () => Promise<void>;
}

/** Running servers of one topology. Stop it, or `await using` it; it also stops by itself when this process ends. */
export class RedisServer {
  readonly topology: RedisTopology;
  /** The servers that hold data. */
  readonly nodes: readonly RedisNode[];
  /** The Sentinels that watch over them; empty in the other topologies. */
  readonly sentinels: readonly RedisNode[];
  /** `redis://` or `rediss://`, with credentials. Sentinel: the first master. Cluster: one of the nodes. */
  readonly url: string;
  /** Plugs into `RedisModule.forRoot` as it is. */
  readonly connectionOptions: RedisServerConnectionOptions;
  /** Path of the server program. */
  readonly binary: string;
  readonly flavour: RedisFlavour;
  /** The server's own version, such as `7.0.15`. */
  readonly version: string;
  /** Where the data lies: the given `dataDir`, or a private folder that `stop()` removes. */
  readonly dataDir: string;
  readonly #stop: () => Promise<void>;
  #stopped: Promise<void> | undefined;

  constructor(parts: RedisServerParts) {
    this.topology = parts.topology;
    this.nodes = parts.nodes;
    this.sentinels = parts.sentinels;
    this.url = urlOf(parts);
    this.connectionOptions = connectionOptionsOf(parts, this.url);
    this.binary = parts.binary.path;
    this.flavour = parts.binary.flavour;
    this.version = parts.binary.version;
    this.dataDir = parts.dataDir;
    this.#stop = parts.stop;
  }

  /** The nodes that were started as masters, at least one. */
  get masters(): readonly RedisNode[] {
    return this.nodes.filter((node) => node.role === 'master');
  }

  /**
   * Ends every server and removes the private folder; resolves when both are gone. A given `dataDir` stays, with all data
   * saved in it. Calling it again returns the same promise.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function urlOf({ nodes: [node], access }: RedisServerParts): string {
  const scheme = access.tls === undefined ? 'redis' : 'rediss';
  const credentials =
    access.password === undefined
      ? ''
      : `${encodeURIComponent(access.username ?? '')}:${encodeURIComponent(access.password)}@`;
  return `${scheme}://${credentials}${node?.host}:${node?.port}`;
}

function connectionOptionsOf(parts: RedisServerParts, url: string): RedisServerConnectionOptions {
  const { topology, nodes, sentinels, access, sentinelPassword } = parts;
  switch (topology) {
    case 'standalone':
      return { url, ...(access.tls === undefined ? {} : { tls: access.tls }) };
    case 'sentinel': {
      const password = sentinelPassword === undefined ? {} : { password: sentinelPassword };
      const tls = access.tls === undefined ? {} : { tls: access.tls };
      const nodes = addressesOf(sentinels);
      return { sentinel: { name: SENTINEL_MASTER_NAME, nodes, ...password, ...tls }, ...access };
    }
    case 'cluster':
      return { cluster: { nodes: addressesOf(nodes) }, ...access };
  }
}

function addressesOf(nodes: readonly RedisNode[]): RedisAddress[] {
  return nodes.map(({ host, port }) => ({ host, port }));
}

import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { durationOption } from '../../core/time/duration-option.js';
import type { Duration } from '../../core/time/duration.js';
import type { RedisBinary } from '../binary/redis-binary.js';
import type { RedisDirectives } from './server-config.js';

/** One server; a master with replicas that Sentinels fail over; or a Cluster. */
export type RedisTopology = 'standalone' | 'sentinel' | 'cluster';

interface CommonOptions {
  /** The first server's port; the others take the ports after it. Default: free ports. */
  readonly port?: number;
  /** What clients must log in with. Default: nothing. */
  readonly password?: string;
  /** The ACL user to log in as, who may do everything; the default user is then switched off. Needs `password`. */
  readonly username?: string;
  /** Servers that speak TLS only, with a certificate made for this run and valid for `localhost` and `127.0.0.1`. Default: false. */
  readonly tls?: boolean;
  /** Keeps an append-only file, so that data outlives `kill()`. Default: true with a `dataDir`, else false. */
  readonly appendOnly?: boolean;
  /** More directives of redis.conf for the data servers, such as `{ maxmemory: '2mb' }`. They win over the ones set here. */
  readonly args?: RedisDirectives;
  /** The server program: its path, or what `findRedisBinary()` has found. Default: whatever that finds. */
  readonly binary?: string | RedisBinary;
}

/** One server. */
export interface StartStandaloneOptions extends CommonOptions {
  readonly topology?: 'standalone';
  /**
   * A folder for the data, kept on `stop()`. It is created when missing, and refused while another server uses it.
   * Default: a private folder that goes with the server.
   */
  readonly dataDir?: string;
}

/** A master, its replicas, and the Sentinels that watch over them. */
export interface StartSentinelOptions extends CommonOptions {
  readonly topology: 'sentinel';
  /** Replicas of the master. Default: 1. */
  readonly replicas?: number;
  /** Sentinels, of which a majority decides. Default: 3, at least 1. */
  readonly sentinels?: number;
  /** How long the master must be silent before a Sentinel takes it for down. Default: '1s', at least '1ms'. */
  readonly downAfter?: Duration;
  /** What clients of the Sentinels themselves must log in with. Default: nothing. */
  readonly sentinelPassword?: string;
}

/** A Redis Cluster. */
export interface StartClusterOptions extends CommonOptions {
  readonly topology: 'cluster';
  /** Masters, among which the slots are divided evenly. Default: 3, which is also the least. */
  readonly masters?: number;
  /** Default: 0. */
  readonly replicasPerMaster?: number;
  /** How long a node must be silent before the others take it for down. Default: '2s', at least '1ms'. */
  readonly nodeTimeout?: Duration;
}

/** What {@link startRedis} starts. */
export type StartRedisOptions = StartStandaloneOptions | StartSentinelOptions | StartClusterOptions;

/** Every option of every topology, with its default in place. */
export interface StartRedisConfig {
  readonly topology: RedisTopology;
  readonly port: number | undefined;
  readonly password: string | undefined;
  readonly username: string | undefined;
  readonly tls: boolean;
  readonly appendOnly: boolean;
  readonly args: RedisDirectives;
  readonly binary: string | RedisBinary | undefined;
  readonly dataDir: string | undefined;
  readonly replicas: number;
  readonly sentinels: number;
  readonly downAfterMs: number;
  readonly sentinelPassword: string | undefined;
  readonly masters: number;
  readonly replicasPerMaster: number;
  readonly nodeTimeoutMs: number;
}

/** @throws {ConfigurationError} that names the option which cannot work. */
export function resolveStartRedisConfig(options: StartRedisOptions): StartRedisConfig {
  const given = options as Omit<StartStandaloneOptions & StartSentinelOptions & StartClusterOptions, 'topology'>;
  const topology = options.topology ?? 'standalone';
  requireThat(['standalone', 'sentinel', 'cluster'].includes(topology), `topology is not one of the three`);
  requireThat(given.username === undefined || given.password !== undefined, 'username needs a password');
  requireThat(
    given.username === undefined || (/^\S+$/.test(given.username) && given.username !== 'default'),
    "username must be one word, and not 'default', who needs no username",
  );
  requireThat(given.password !== '', 'password is empty');
  requireThat(
    given.dataDir === undefined || topology === 'standalone',
    'dataDir is for the standalone topology: the nodes of the others remember each other by ports that change',
  );
  return {
    topology,
    port: given.port === undefined ? undefined : wholeNumber('port', given.port, 1, 65_535),
    password: given.password,
    username: given.username,
    tls: given.tls ?? false,
    appendOnly: given.appendOnly ?? given.dataDir !== undefined,
    args: given.args ?? {},
    binary: given.binary,
    dataDir: given.dataDir,
    replicas: wholeNumber('replicas', given.replicas ?? 1, 0, 100),
    sentinels: wholeNumber('sentinels', given.sentinels ?? 3, 1, 100),
    downAfterMs: durationOption(given.downAfter ?? '1s', 'startRedis: downAfter'),
    sentinelPassword: given.sentinelPassword,
    masters: wholeNumber('masters', given.masters ?? 3, 3, 100),
    replicasPerMaster: wholeNumber('replicasPerMaster', given.replicasPerMaster ?? 0, 0, 100),
    nodeTimeoutMs: durationOption(given.nodeTimeout ?? '2s', 'startRedis: nodeTimeout'),
  };
}

function wholeNumber(option: string, value: number, least: number, most: number): number {
  requireThat(
    Number.isInteger(value) && value >= least && value <= most,
    `${option} must be a whole number from ${least} to ${most}`,
  );
  return value;
}

function requireThat(holds: boolean, complaint: string): void {
  if (!holds) throw new ConfigurationError(`startRedis: ${complaint}.`);
}

import { SENTINEL_MASTER_NAME } from './redis-server.js';
import { LOOPBACK, type RedisAddress } from './redis-address.js';
import type { Directive } from './server-config.js';
import type { StartRedisConfig } from './start-redis.options.js';

/** Where one server listens and works. */
export interface ServerPlace {
  readonly port: number;
  readonly folder: string;
  /** Undefined: no TLS. */
  readonly tls: CertificateFiles | undefined;
}

/** Paths of a certificate, which is its own authority, and of its private key. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a server that holds data is told. */
export function dataDirectives(config: StartRedisConfig, place: ServerPlace): Directive[] {
  return [
    ...placeDirectives(place),
    ['pidfile', `${place.folder}/redis.pid`],
    ['save', ''],
    ['appendonly', config.appendOnly ? 'yes' : 'no'],
    // Without a log of changes, an orderly stop is the moment to save, so that a restart finds the data.
    ['shutdown-on-sigterm', config.appendOnly ? 'default' : 'save'],
    ['shutdown-timeout', 1],
    ['repl-diskless-sync', 'yes'],
    ['repl-diskless-sync-delay', 0],
    // A node names a replica to clients only once it has replicated something, and these pings count.
    ['repl-ping-replica-period', 1],
    ...loginDirectives(config),
  ];
}

/** What a server that is a Cluster's node is told besides. */
export function clusterDirectives({ nodeTimeoutMs }: StartRedisConfig): Directive[] {
  return [
    ['cluster-enabled', 'yes'],
    ['cluster-config-file', 'nodes.conf'],
    ['cluster-node-timeout', nodeTimeoutMs],
    // A replica may take over however old its data is: tests want the failover, not the caution.
    ['cluster-replica-validity-factor', 0],
  ];
}

/** What a Sentinel is told: whom to watch, and how many must agree. */
export function sentinelDirectives(config: StartRedisConfig, place: ServerPlace, master: RedisAddress): Directive[] {
  const { username, password, sentinelPassword, downAfterMs, sentinels } = config;
  const quorum = Math.floor(sentinels / 2) + 1;
  const sentinel = (setting: string, ...words: (string | number)[]): Directive => ['sentinel', setting, ...words];
  return [
    ...placeDirectives(place),
    sentinel('monitor', SENTINEL_MASTER_NAME, master.host, master.port, quorum),
    sentinel('down-after-milliseconds', SENTINEL_MASTER_NAME, downAfterMs),
    // Also the pause before a failover that did not come off is tried again, by default three minutes.
    sentinel('failover-timeout', SENTINEL_MASTER_NAME, Math.max(5 * downAfterMs, 2_000)),
    ...(username === undefined ? [] : [sentinel('auth-user', SENTINEL_MASTER_NAME, username)]),
    ...(password === undefined ? [] : [sentinel('auth-pass', SENTINEL_MASTER_NAME, password)]),
    ...(sentinelPassword === undefined
      ? []
      : [['requirepass', sentinelPassword] satisfies Directive, sentinel('sentinel-pass', sentinelPassword)]),
  ];
}

function placeDirectives({ port, folder, tls }: ServerPlace): Directive[] {
  const common: Directive[] = [
    ['bind', LOOPBACK],
    ['dir', folder],
  ];
  if (tls === undefined) return [...common, ['port', port]];
  return [
    ...common,
    ['port', 0],
    ['tls-port', port],
    ['tls-cert-file', tls.certFile],
    ['tls-key-file', tls.keyFile],
    ['tls-ca-cert-file', tls.certFile],
    ['tls-auth-clients', 'no'],
    ['tls-replication', 'yes'],
    ['tls-cluster', 'yes'],
  ];
}

/** What clients, and replicas among them, log in with. */
function loginDirectives({ username, password }: StartRedisConfig): Directive[] {
  if (password === undefined) return [];
  if (username === undefined) {
    return [
      ['requirepass', password],
      ['masterauth', password],
    ];
  }
  return [
    ['user', 'default', 'off'],
    ['user', username, 'on', `>${password}`, '~*', '&*', '+@all'],
    ['masteruser', username],
    ['masterauth', password],
  ];
}

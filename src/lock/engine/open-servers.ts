import { ConfigurationError } from '../../core/errors/configuration.error.js';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { RedisConnections } from '../../core/redis/redis-connections.js';
import type { Clock } from '../../core/time/clock.js';
import type { LockConfig } from '../lock-config.js';
import type { LockServers } from './lock-servers.js';
import { QuorumLocks } from './quorum-locks.js';
import { RedisLocks } from './redis-locks.js';
import { ReplicatedLocks } from './replicated-locks.js';

/** Where the module's locks live. */
export interface OpenServers {
  readonly servers: LockServers;
  /** The one Redis; the first one of a quorum. */
  readonly connection: RedisConnection;
}

/** @throws {ConfigurationError} for a connection that does not exist, or cannot do what is asked of it */
export function openServers(config: LockConfig, connections: RedisConnections, clock: Clock): OpenServers {
  const { quorum, replicas, deadlineMs } = config;
  if (quorum !== null) {
    const nodes = quorum.connections.map((name) => connections.get(name));
    const locks = nodes.map((node) => new RedisLocks(node, node.scripts, clock, quorum.nodeDeadlineMs));
    return {
      servers: new QuorumLocks(locks, clock, quorum.connections.join(', ')),
      connection: nodes[0] as RedisConnection,
    };
  }
  const connection = connections.get(config.connection);
  if (replicas === 0) return { servers: new RedisLocks(connection, connection.scripts, clock, deadlineMs), connection };
  if (connection.client.isCluster) {
    throw new ConfigurationError(
      'LockModule: replicas are for one primary, with or without Sentinels, and not for a cluster. Leave replicas out.',
    );
  }
  return { servers: new ReplicatedLocks(connection, clock, deadlineMs, replicas), connection };
}

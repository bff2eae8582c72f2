import type { Cluster, Redis } from 'ioredis';
import keySlot from 'cluster-key-slot';
import { createNode, DISCONNECT_TIMEOUT_MS, type NodeOptions } from './client-factory.js';
import { addressOf, primaryAt, primaryOf } from '../lanes/cluster-nodes.js';
import type { RedisConnectionConfig } from '../config/redis-config.js';

/** Where a connection for one purpose leads. */
export interface DedicatedTarget {
  /** A client, not connected yet, that does not reconnect by itself; null while there is no node to go to. */
  open(): Redis | null;
  /** Whether a client that was opened before still leads there. */
  leadsThere(client: Redis): boolean;
  /** Asks anew where that is, after a node said that it is elsewhere. */
  lookAgain(): void;
}

/** The same server that the commands go to; on a cluster the primary of `key`, or any node when there is no key. */
export function dedicatedTarget(
  config: RedisConnectionConfig,
  commands: Redis | Cluster,
  key: string | null,
): DedicatedTarget {
  if (!commands.isCluster) return singleTarget(config, commands as Redis);
  return key === null ? anyNode(commands as Cluster) : ownerOf(commands as Cluster, keySlot(key));
}

const OWN: NodeOptions = {
  retryStrategy: null,
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  protocol: 2 as const,
};

function singleTarget(config: RedisConnectionConfig, commands: Redis): DedicatedTarget {
  return {
    open: () => ('client' in config.target ? commands.duplicate(OWN) : createNode(config, OWN)),
    leadsThere: () => true,
    lookAgain: () => undefined,
  };
}

/** For Pub/Sub, which every node of a cluster takes part in; one that has left it hears nothing any more. */
function anyNode(cluster: Cluster): DedicatedTarget {
  return {
    open: () => {
      const ready = cluster.nodes('master').filter((node) => node.status === 'ready');
      return ready[Math.floor(Math.random() * ready.length)]?.duplicate(OWN) ?? null;
    },
    leadsThere: (client) => cluster.nodes().some((node) => addressOf(node) === addressOf(client)),
    lookAgain: () => undefined,
  };
}

/** The primary at one address of a cluster, for as long as it is one. */
export function nodeTarget(cluster: Cluster, address: string): DedicatedTarget {
  return {
    open: () => primaryAt(cluster, address)?.duplicate(OWN) ?? null,
    leadsThere: () => primaryAt(cluster, address) !== null,
    lookAgain: () => cluster.refreshSlotsCache(),
  };
}

function ownerOf(cluster: Cluster, slot: number): DedicatedTarget {
  return {
    open: () => primaryOf(cluster, slot)?.duplicate(OWN) ?? null,
    leadsThere: (client) => cluster.slots[slot]?.[0] === addressOf(client),
    lookAgain: () => cluster.refreshSlotsCache(),
  };
}

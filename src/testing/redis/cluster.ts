import { eventually } from '../eventually.js';
import { RedisServerError } from '../testing.errors.js';
import type { RedisFleet } from './redis-fleet.js';
import type { RedisNode } from './redis-node.js';
import type { StartedTopology } from './redis-server.js';
import { clusterDirectives, dataDirectives } from './server-directives.js';
import type { StartRedisConfig } from './start-redis.options.js';

const SLOTS = 16_384;
const WAIT = { within: '30s', every: '25ms' } as const;

/** Starts the nodes, divides the slots, introduces everyone to everyone, and waits until all agree on all of it. */
export async function startCluster(config: StartRedisConfig, fleet: RedisFleet): Promise<StartedTopology> {
  const { masters: masterCount, replicasPerMaster } = config;
  const start = (role: 'master' | 'replica'): Promise<RedisNode> =>
    fleet.start(role, (place) => [...dataDirectives(config, place), ...clusterDirectives(config)]);
  const masters = await Promise.all(Array.from({ length: masterCount }, () => start('master')));
  const replicas = await Promise.all(Array.from({ length: masterCount * replicasPerMaster }, () => start('replica')));
  const nodes = [...masters, ...replicas];

  await Promise.all(masters.map((node, index) => assignSlots(node, index, masterCount)));
  await Promise.all(nodes.map((node) => introduce(node, nodes)));
  await Promise.all(replicas.map((node, index) => attach(node, masters[index % masterCount] as RedisNode)));
  await Promise.all(nodes.map((node) => untilAgreed(node, masters, nodes)));
  return { nodes, sentinels: [] };
}

/** An even, contiguous share of the slots, and an epoch of the node's own, which spares the nodes a conflict. */
async function assignSlots(node: RedisNode, index: number, masterCount: number): Promise<void> {
  const first = Math.floor((index * SLOTS) / masterCount);
  const last = Math.floor(((index + 1) * SLOTS) / masterCount) - 1;
  await node.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  await node.command('CLUSTER', 'ADDSLOTSRANGE', first, last);
}

/** Everyone meets everyone: word of mouth alone would take seconds longer. */
async function introduce(node: RedisNode, nodes: readonly RedisNode[]): Promise<void> {
  for (const other of nodes) {
    if (other !== node) await node.command('CLUSTER', 'MEET', other.host, other.port);
  }
}

async function attach(replica: RedisNode, master: RedisNode): Promise<void> {
  const masterId = String(await master.command('CLUSTER', 'MYID'));
  // Refused until the replica has heard of its master.
  await eventually(() => replica.command('CLUSTER', 'REPLICATE', masterId), WAIT);
}

async function untilAgreed(node: RedisNode, masters: readonly RedisNode[], nodes: readonly RedisNode[]): Promise<void> {
  await eventually(async () => {
    const info = String(await node.command('CLUSTER', 'INFO'));
    const known = String(await node.command('CLUSTER', 'NODES'))
      .trim()
      .split('\n');
    // One row per range of slots: first, last, and then everyone who serves it.
    const ranges = (await node.command('CLUSTER', 'SLOTS')) as unknown[][];
    const agreed =
      /^cluster_state:ok/m.test(info) &&
      known.length === nodes.length &&
      !known.some((line) => /handshake|fail|noaddr/.test(line)) &&
      ranges.length === masters.length &&
      ranges.reduce((servers, range) => servers + range.length - 2, 0) === nodes.length;
    if (!agreed) throw new RedisServerError(`The Cluster node on port ${node.port} is not ready.`);
  }, WAIT);
}

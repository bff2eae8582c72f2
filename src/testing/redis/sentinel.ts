import { eventually } from '../eventually.js';
import { RedisServerError } from '../testing.errors.js';
import type { RedisFleet } from './redis-fleet.js';
import type { RedisNode } from './redis-node.js';
import { SENTINEL_MASTER_NAME, type StartedTopology } from './redis-server.js';
import { dataDirectives, sentinelDirectives } from './server-directives.js';
import type { StartRedisConfig } from './start-redis.options.js';

const WAIT = { within: '30s', every: '50ms' } as const;

/** Starts master, replicas and Sentinels in this order, because a Sentinel asks a master for its replicas once at first. */
export async function startSentinel(config: StartRedisConfig, fleet: RedisFleet): Promise<StartedTopology> {
  const master = await fleet.start('master', (place) => dataDirectives(config, place));
  const replicas = await startAll(config.replicas, () =>
    fleet.start('replica', (place) => [...dataDirectives(config, place), ['replicaof', master.host, master.port]]),
  );
  await Promise.all(replicas.map(untilLinked));
  const sentinels = await startAll(config.sentinels, () =>
    fleet.start('sentinel', (place) => sentinelDirectives(config, place, master)),
  );
  await Promise.all(sentinels.map((sentinel) => untilAcquainted(sentinel, replicas.length, sentinels.length - 1)));
  return { nodes: [master, ...replicas], sentinels };
}

function startAll(count: number, start: () => Promise<RedisNode>): Promise<RedisNode[]> {
  return Promise.all(Array.from({ length: count }, start));
}

async function untilLinked(replica: RedisNode): Promise<void> {
  await eventually(async () => {
    const info = String(await replica.command('INFO', 'replication'));
    if (!/^master_link_status:up/m.test(info)) {
      throw new RedisServerError(`The replica on port ${replica.port} has not reached its master.`);
    }
  }, WAIT);
}

async function untilAcquainted(sentinel: RedisNode, replicas: number, otherSentinels: number): Promise<void> {
  await eventually(async () => {
    const state = fieldsOf(await sentinel.command('SENTINEL', 'MASTER', SENTINEL_MASTER_NAME));
    const knowsAll =
      state.get('flags') === 'master' &&
      state.get('num-slaves') === String(replicas) &&
      state.get('num-other-sentinels') === String(otherSentinels);
    if (!knowsAll)
      throw new RedisServerError(`The Sentinel on port ${sentinel.port} does not know all the others yet.`);
  }, WAIT);
}

/** A flat list of names and values, as RESP2 has it. */
function fieldsOf(reply: unknown): Map<string, string> {
  const words = (reply as unknown[]).map(String);
  return new Map(words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1] ?? '']] : [])));
}

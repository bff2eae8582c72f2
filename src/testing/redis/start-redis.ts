import { findRedisBinary, requireRedisBinary } from '../binary/find-redis-binary.js';
import type { RedisBinary } from '../binary/redis-binary.js';
import { RedisServerError } from '../testing.errors.js';
import { startCluster } from './cluster.js';
import { freePorts } from './free-ports.js';
import { RedisFleet } from './redis-fleet.js';
import { RedisServer, type StartedTopology } from './redis-server.js';
import { startSentinel } from './sentinel.js';
import { dataDirectives } from './server-directives.js';
import { resolveStartRedisConfig, type StartRedisConfig, type StartRedisOptions } from './start-redis.options.js';

/** How often other ports are tried when another process takes one between our look and the server's bind. */
const PORT_ATTEMPTS = 10;

/**
 * Starts real Redis or Valkey servers on loopback, and resolves when they answer: a Cluster covers all slots and every
 * node agrees, Sentinels know each other and every replica.
 *
 * They end with this process, whatever ends it: exit, exception, a signal, `kill -9`; the private folder goes with them.
 * They do not keep it alive. Where the server program comes from: see {@link findRedisBinary}. Needs `/bin/sh`, so no
 * Windows.
 *
 * Takes about 50 ms standalone, 3 s as a Cluster, 4 s with Sentinels.
 *
 * @throws {ConfigurationError} for options that cannot work.
 * @throws {RedisBinaryNotFoundError} when there is no server program.
 * @throws {RedisServerError} when a server does not come up, with the end of its log. Nothing is left running.
 */
export async function startRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
  const config = resolveStartRedisConfig(options);
  const binary = await binaryFor(config);
  for (let attempt = 1; ; attempt++) {
    const fleet = new RedisFleet(config, binary, await portsFor(config));
    try {
      return serverOf(config, binary, fleet, await startTopology(config, fleet));
    } catch (error) {
      await fleet.stop();
      const mayRetry = config.port === undefined && attempt < PORT_ATTEMPTS;
      if (!mayRetry || !(error instanceof RedisServerError) || error.context['portTaken'] !== true) throw error;
    }
  }
}

async function startTopology(config: StartRedisConfig, fleet: RedisFleet): Promise<StartedTopology> {
  switch (config.topology) {
    case 'standalone':
      return { nodes: [await fleet.start('master', (place) => dataDirectives(config, place))], sentinels: [] };
    case 'sentinel':
      return startSentinel(config, fleet);
    case 'cluster':
      return startCluster(config, fleet);
  }
}

function serverOf(
  config: StartRedisConfig,
  binary: RedisBinary,
  fleet: RedisFleet,
  { nodes, sentinels }: StartedTopology,
): RedisServer {
  const { topology, sentinelPassword } = config;
  const { access, dataDir } = fleet;
  return new RedisServer({
    topology,
    binary,
    nodes,
    sentinels,
    access,
    sentinelPassword,
    dataDir,
    stop: () => fleet.stop(),
  });
}

async function binaryFor({ binary }: StartRedisConfig): Promise<RedisBinary> {
  if (binary === undefined) return findRedisBinary();
  return typeof binary === 'string' ? requireRedisBinary(binary, "startRedis: the option 'binary'") : binary;
}

async function portsFor(config: StartRedisConfig): Promise<readonly number[]> {
  const { topology, port, masters, replicasPerMaster, replicas, sentinels } = config;
  const count = { standalone: 1, sentinel: 1 + replicas + sentinels, cluster: masters * (1 + replicasPerMaster) }[
    topology
  ];
  if (port !== undefined) return Array.from({ length: count }, (_, index) => port + index);
  return freePorts(count, { withBus: topology === 'cluster' });
}

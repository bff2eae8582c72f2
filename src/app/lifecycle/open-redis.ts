import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { type RedisServer, startRedis } from 'rookery/testing';
import type { AppConfig } from '../config/app-config.js';
import { redactUrl } from '../config/redact-url.js';

/** A Redis to use, and what ends it when it is our own. */
export interface OpenRedis {
  readonly url: string;
  /** For people: what runs and where. */
  readonly description: string;
  close(): Promise<void>;
}

/**
 * The Redis of REDIS_URL, or a private one: a child of this process, on loopback, that keeps its data in the data folder,
 * is started again when it dies, and ends with the service.
 *
 * @throws RedisBinaryNotFoundError naming the ways to get a server, when there is none to start.
 */
export async function openRedis({ redisUrl, redisServerBin, dataDir }: AppConfig): Promise<OpenRedis> {
  if (redisUrl !== undefined) {
    return { url: redisUrl, description: `at ${redactUrl(redisUrl)}`, close: async () => {} };
  }
  const folder = join(dataDir, 'redis');
  const server = await startRedis({
    dataDir: folder,
    appendOnly: true,
    ...(redisServerBin === undefined ? {} : { binary: redisServerBin }),
  });
  const watch = keepAlive(server);
  const name = server.flavour === 'valkey' ? 'Valkey' : 'Redis';
  return {
    url: server.url,
    description: `${name} ${server.version} at ${redactUrl(server.url)}, private, data in ${folder}`,
    close: async () => {
      await watch.end();
      await server.stop();
    },
  };
}

const WATCH_EVERY_MS = 1_000;

/** What a supervisor does for a Redis that is not our own child. */
function keepAlive(server: RedisServer): { end(): Promise<void> } {
  const logger = new Logger('PrivateRedis');
  let restarting: Promise<void> | undefined;
  const restart = async (): Promise<void> => {
    logger.warn('The private Redis has ended; starting it again');
    await Promise.all(server.nodes.map((node) => node.start())).catch((error: unknown) => logger.error(error));
  };
  const timer = setInterval(() => {
    if (restarting === undefined && server.nodes.some((node) => !node.running)) {
      restarting = restart().finally(() => (restarting = undefined));
    }
  }, WATCH_EVERY_MS);
  return {
    end: async () => {
      clearInterval(timer);
      await restarting;
    },
  };
}

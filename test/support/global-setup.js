import './typescript.js';

/**
 * One server and one Cluster for the whole run. Tests reach them through `sharedRedis` and stay apart by random key
 * prefixes. They end with this process, however it ends, and with the tear-down.
 */
export default async function startSharedServers() {
  const { startRedis } = await import('../../src/testing/index.ts');
  const redisUrl = process.env.REDIS_URL;
  const servers = await Promise.all([
    redisUrl ? { connectionOptions: { url: redisUrl } } : startRedis(),
    startRedis({ topology: 'cluster' }),
  ]);
  const [standalone, cluster] = servers.map(({ connectionOptions }) => JSON.stringify(connectionOptions));
  process.env.ROOKERY_TEST_STANDALONE = standalone;
  process.env.ROOKERY_TEST_CLUSTER = cluster;
  globalThis.rookerySharedServers = servers;
}

import { describe, expect, it } from '@jest/globals';
import { eventually, startRedis, startTcpProxy, type RedisNode } from '../../../src/testing/index.js';
import { closeAfterEach, openRedis } from '../../integration/redis/open-redis.js';
import { expectNoLeakedConnections } from '../../support/redis.js';

expectNoLeakedConnections();
closeAfterEach();

describe('a scan', () => {
  it('rejects on a cluster of which one master is gone, instead of leaving its keys out', async () => {
    await using server = await startRedis({
      topology: 'cluster',
      nodeTimeout: '1s',
      args: { 'cluster-require-full-coverage': 'no' },
    });
    const redis = await openRedis(server.connectionOptions);
    await Promise.all(Array.from({ length: 300 }, (_, i) => redis.send('SET', [`key:${i}`, 'x'])));
    const node = server.masters.at(-1) as RedisNode;
    await node.kill();
    await eventually(() => expect(redis.health.status.state).toBe('degraded'));
    const scanned = (async () => {
      for await (const batch of redis.scan('key:*')) expect(batch.length).toBeGreaterThan(0);
    })();
    await expect(scanned).rejects.toMatchObject({ code: 'ROOKERY_REDIS_UNAVAILABLE', mayHaveRun: false });
  });

  it('does not go on with its cursor on another connection, where the cursor may mean nothing', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server.nodes[0]!);
    const redis = await openRedis({ url: `redis://127.0.0.1:${proxy.port}` });
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => redis.send('SET', [`key:${i}`, 'x'])));
    let batches = 0;
    const scanned = (async () => {
      for await (const batch of redis.scan('key:*', { count: 10 })) {
        batches += batch.length > 0 ? 1 : 0;
        if (batches > 1) continue;
        proxy.cut();
        await eventually(() => expect(redis.health.isUp).toBe(false), { every: '1ms' });
        await redis.health.untilUp();
      }
    })();
    await expect(scanned).rejects.toMatchObject({ reason: 'connection-lost', mayHaveRun: false });
    expect(batches).toBe(1);
  });
});

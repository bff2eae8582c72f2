import keySlot from 'cluster-key-slot';
import type { Cluster } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import { addressOf, primaryOf } from '../../../src/core/redis/lanes/cluster-nodes.js';
import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import { eventually, startRedis, type RedisNode, type RedisServer } from '../../../src/testing/index.js';
import { closeAfterEach, openRedis } from '../../integration/redis/open-redis.js';
import { expectNoLeakedConnections } from '../../support/redis.js';
import { atOnce } from './outcome.js';

expectNoLeakedConnections();
closeAfterEach();

/** A key for each of the given nodes, and one for each of the others. */
function keysOn(
  redis: RedisConnection,
  node: RedisNode,
): { readonly there: string; readonly elsewhere: readonly string[] } {
  const keys = new Map<string, string>();
  for (let i = 0; keys.size < 3; i++) {
    const owner = primaryOf(redis.client as Cluster, keySlot(`key-${i}`));
    if (owner !== null) keys.set(addressOf(owner), `key-${i}`);
  }
  const there = keys.get(`${node.host}:${node.port}`) as string;
  return { there, elsewhere: [...keys.values()].filter((key) => key !== there) };
}

function firstMaster(server: RedisServer): RedisNode {
  return server.masters[0] as RedisNode;
}

describe('a cluster that keeps serving the slots it has', () => {
  it('loses the slots of a master that hangs or dies, and no others, until it is back', async () => {
    await using server = await startRedis({
      topology: 'cluster',
      nodeTimeout: '1s',
      args: { 'cluster-require-full-coverage': 'no' },
    });
    const redis = await openRedis({ ...server.connectionOptions, deadline: '300ms', breaker: { hangLimit: '1s' } });
    expect(redis.health.isUp).toBe(true);
    const node = firstMaster(server);
    const { there, elsewhere } = keysOn(redis, node);
    const othersWork = async (): Promise<void> => {
      for (const key of elsewhere) expect(String(await redis.send('SET', [key, 'x']))).toBe('OK');
      expect(String(await redis.send('PING', []))).toBe('PONG');
    };

    await node.pause();
    await expect(redis.send('SET', [there, 'x'])).rejects.toMatchObject({ reason: 'deadline' });
    await expect(redis.get(there)).rejects.toMatchObject({ reason: 'circuit-open' });
    expect(redis.health.status).toMatchObject({ state: 'degraded', reason: 'the server is silent' });
    for (let round = 0; round < 10; round++) await othersWork();
    await node.resume();
    await eventually(() => redis.send('SET', [there, 'x']));
    await redis.health.untilUp();

    await node.kill();
    await eventually(() => expect(redis.health.status).toMatchObject({ state: 'degraded' }));
    const refused = await atOnce(redis.send('SET', [there, 'x']));
    expect(refused.error).toMatchObject({ code: 'ROOKERY_REDIS_UNAVAILABLE', mayHaveRun: false });
    for (let round = 0; round < 10; round++) await othersWork();
    await node.start();
    await redis.health.untilUp({ within: '10s' });
    await eventually(() => redis.send('SET', [there, 'x']));
  });
});

describe('a cluster with replicas', () => {
  it('is whole again once a replica has taken over, in every role', async () => {
    await using server = await startRedis({ topology: 'cluster', replicasPerMaster: 1, nodeTimeout: '1s' });
    const redis = await openRedis(server.connectionOptions);
    const node = firstMaster(server);
    const { there } = keysOn(redis, node);
    const blocking = redis.blocking(there);
    expect(await blocking.run('BLPOP', [there, 0.01], 2_000)).toBeNull();
    let seen = 0;
    await redis.subscriber.subscribe('news', () => void (seen += 1));

    await node.kill();
    await eventually(() => redis.send('RPUSH', [there, 'item']), { within: '20s' });
    await redis.health.untilUp({ within: '10s' });
    expect(addressOf(primaryOf(redis.client as Cluster, keySlot(there))!)).not.toBe(`${node.host}:${node.port}`);
    await eventually(async () =>
      expect(await blocking.run('BLPOP', [there, 1], 1_000)).toEqual([Buffer.from(there), Buffer.from('item')]),
    );
    await eventually(async () => {
      await redis.send('PUBLISH', ['news', 'x']);
      expect(seen).toBeGreaterThan(0);
    });
    await movesItsSlotsBack(redis, node, there);
  });
});

/** The old master, back as a replica, takes over by hand: both nodes live, so only what they answer tells of the move. */
async function movesItsSlotsBack(redis: RedisConnection, node: RedisNode, key: string): Promise<void> {
  const blocking = redis.blocking(key);
  await node.start();
  await eventually(
    async () => expect(String(await node.command('INFO', 'replication'))).toContain('master_link_status:up'),
    {
      within: '20s',
    },
  );
  expect(await blocking.run('BLPOP', [key, 0.01], 2_000)).toBeNull();
  // Without a vote, which masters grant to one set of nodes only every two node timeouts.
  await node.command('CLUSTER', 'FAILOVER', 'TAKEOVER');
  await eventually(async () => expect(String(await node.command('ROLE'))).toContain('master'), { within: '20s' });
  await eventually(() => redis.send('RPUSH', [key, 'item']));
  // That command was told where the key is now: the loop goes there without having to fail first.
  expect(await blocking.run('BLPOP', [key, 1], 1_000)).toEqual([Buffer.from(key), Buffer.from('item')]);
  await redis.health.untilUp();
}

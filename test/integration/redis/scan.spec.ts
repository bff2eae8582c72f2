import { Redis } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import { startRedis } from '../../../src/testing/index.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { closeAfterEach, openRedis } from './open-redis.js';

expectNoLeakedConnections();
closeAfterEach();

async function collect(batches: AsyncIterable<string[]>): Promise<Set<string>> {
  const keys = new Set<string>();
  for await (const batch of batches) batch.forEach((key) => keys.add(key));
  return keys;
}

async function fill(redis: RedisConnection, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => redis.send('SET', [key, 'x', 'PX', 60_000], { deadlineMs: 10_000 })));
}

describeTopologies((topology) => {
  it('finds every key that matches, on every primary, and no other', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const prefix = randomPrefix();
    const keys = Array.from({ length: 2_500 }, (_, i) => `${prefix}:ünï:{${i}}`);
    await fill(redis, [...keys, `${prefix}x`, `x${prefix}:`]);
    expect(await collect(redis.scan(`${prefix}:*`))).toEqual(new Set(keys));
    expect(await collect(redis.scan(`${prefix}:nothing:*`))).toEqual(new Set());
  });

  it('ends with the reason of the signal, before the first trip and between two', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const prefix = randomPrefix();
    await fill(
      redis,
      Array.from({ length: 1_000 }, (_, i) => `${prefix}:{${i}}`),
    );
    const reason = new Error('enough');
    await expect(collect(redis.scan('*', { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);

    const controller = new AbortController();
    let batches = 0;
    const scanning = (async () => {
      for await (const batch of redis.scan(`${prefix}:*`, { signal: controller.signal, count: 10 })) {
        batches += batch.length > 0 ? 1 : 0;
        controller.abort(reason);
      }
    })();
    await expect(scanning).rejects.toBe(reason);
    expect(batches).toBe(1);
  });

  it('can be left early', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const prefix = randomPrefix();
    await fill(
      redis,
      Array.from({ length: 100 }, (_, i) => `${prefix}:{${i}}`),
    );
    const before = redis.counters.commands;
    for await (const batch of redis.scan(`${prefix}:*`, { count: 100_000 })) {
      expect(batch.length).toBeGreaterThan(0);
      break;
    }
    expect(redis.counters.commands - before).toBeLessThan(3);
  });

  it('refuses a count that the server would not take', async () => {
    const redis = await openRedis(sharedRedis(topology));
    for (const count of [0, 1.5, -1, 100_001]) expect(() => redis.scan('*', { count })).toThrow(RangeError);
  });
});

describe('the group of a key', () => {
  it('is the slot on a cluster, and the same for all keys on one server', async () => {
    const [one, cluster] = [await openRedis(sharedRedis('standalone')), await openRedis(sharedRedis('cluster'))];
    expect(one.groupOf('a')).toBe(one.groupOf('b'));
    expect(cluster.groupOf('a')).not.toBe(cluster.groupOf('b'));
    expect(cluster.groupOf('{same}a')).toBe(cluster.groupOf('{same}b'));
    await expect(cluster.send('MGET', ['{same}a', '{same}b'])).resolves.toEqual([null, null]);
  });
});

describe('a scan of a server that fails', () => {
  it('rejects once the application has closed, also where it brought a client that lives on', async () => {
    const client = new Redis(sharedRedis('standalone').url);
    try {
      const redis = await openRedis({ client });
      await redis.close();
      await expect(collect(redis.scan('*'))).rejects.toMatchObject({ reason: 'closing', mayHaveRun: false });
    } finally {
      client.disconnect();
    }
  });

  it('rejects within the deadline of one trip when the server is frozen', async () => {
    await using server = await startRedis();
    const redis = await openRedis(server.connectionOptions);
    await server.nodes[0]?.pause();
    await expect(collect(redis.scan('*', { deadlineMs: 100 }))).rejects.toMatchObject({ reason: 'deadline' });
    await server.nodes[0]?.resume();
  });
});

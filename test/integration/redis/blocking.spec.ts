import type { Cluster } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import { addressOf, primaryOf } from '../../../src/core/redis/lanes/cluster-nodes.js';
import keySlot from 'cluster-key-slot';
import { OwnTime } from '../../support/own-time.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { closeAfterEach, openRedis } from './open-redis.js';

expectNoLeakedConnections();
closeAfterEach();

describeTopologies((topology) => {
  it('waits for what comes, while other commands go on', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const key = randomPrefix();
    const blocking = redis.blocking(key);
    const popped = blocking.run('BLPOP', [key, 2], 2_000);
    expect(await redis.send('RPUSH', [key, 'item'])).toBe(1);
    expect(((await popped) as Buffer[]).map(String)).toEqual([key, 'item']);
  });

  it('gives null when the time has run out, and can be used again', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const key = randomPrefix();
    const blocking = redis.blocking(key);
    expect(await blocking.run('BLPOP', [key, 0.05], 2_000)).toBeNull();
    await redis.send('RPUSH', [key, 'item']);
    expect(await blocking.run('blpop', [key, 0.05], 2_000)).toEqual([Buffer.from(key), Buffer.from('item')]);
  });

  it('runs one command at a time, for two seconds at most', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const key = randomPrefix();
    const blocking = redis.blocking(key);
    const first = blocking.run('BLPOP', [key, 0.1], 100);
    await expect(blocking.run('BLPOP', [key, 0.1], 100)).rejects.toThrow('one command at a time');
    expect(await first).toBeNull();
    for (const blockMs of [0, 2_001, NaN]) {
      await expect(blocking.run('BLPOP', [key, 0], blockMs)).rejects.toThrow(RangeError);
    }
  });

  it('settles at once when it is closed, with the application or by itself', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const [one, other] = [randomPrefix(), randomPrefix()];
    const blocked = [redis.blocking(one), redis.blocking(other)] as const;
    using own = new OwnTime();
    const ends = [
      expect(blocked[0].run('BLPOP', [one, 2], 2_000)).rejects.toMatchObject({ reason: 'closing' }),
      expect(blocked[1].run('BLPOP', [other, 2], 2_000)).rejects.toMatchObject({ reason: 'closing' }),
    ];
    blocked[0].close();
    await ends[0];
    await Promise.all([redis.close(), ends[1]]);
    expect(own.ms).toBeLessThan(1_000);
    await expect(blocked[1].run('BLPOP', ['x', 1], 1_000)).rejects.toMatchObject({
      reason: 'closing',
      mayHaveRun: false,
    });
    await expect(redis.blocking('x').run('BLPOP', ['x', 1], 1_000)).rejects.toMatchObject({ reason: 'closing' });
  });

  it('says that a command which was on the wire when it was closed may have run', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const key = randomPrefix();
    const blocking = redis.blocking(key);
    expect(await blocking.run('BLPOP', [key, 0.01], 2_000)).toBeNull();
    const blocked = blocking.run('BLPOP', [key, 2], 2_000);
    await new Promise(setImmediate);
    blocking.close();
    await expect(blocked).rejects.toMatchObject({ reason: 'closing', mayHaveRun: true });
  });
});

describe('on a cluster', () => {
  it('leads to the primary of its key, whichever that is', async () => {
    const redis = await openRedis(sharedRedis('cluster'));
    const cluster = redis.client as Cluster;
    const keyOn = new Map<string, string>();
    for (let i = 0; keyOn.size < 3; i++) {
      const key = `${randomPrefix()}${i}`;
      const node = primaryOf(cluster, keySlot(key));
      if (node !== null) keyOn.set(addressOf(node), key);
    }
    for (const key of keyOn.values()) {
      await redis.send('RPUSH', [key, 'item']);
      expect(await redis.blocking(key).run('BLPOP', [key, 1], 1_000)).toEqual([Buffer.from(key), Buffer.from('item')]);
    }
  });
});

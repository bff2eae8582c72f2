import { expect, it } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  expectNoLeakedKeys,
  keysUnder,
  randomPrefix,
  sharedRedis,
  type SharedTopology,
} from '../../support/redis.js';

expectNoLeakedConnections();

describeTopologies((topology) => {
  it('finds the keys of a prefix on every master, and tells those that never expire', async () => {
    const prefix = randomPrefix();
    const keys = Array.from({ length: 20 }, (_, index) => `${prefix}:${index}`).sort();
    const client = await connect(topology);
    try {
      await Promise.all(keys.map((key) => client.set(key, 'value', 'PX', 60_000)));
      expect(await keysUnder(topology, prefix)).toEqual(keys);
      await expectEveryKeyExpires(topology, prefix);

      await client.persist(keys[7] as string);
      await expect(expectEveryKeyExpires(topology, prefix)).rejects.toThrow(keys[7]);
      await expect(expectNoLeakedKeys(topology, prefix, '2s')).rejects.toThrow(keys[0]);

      await Promise.all(keys.map((key) => client.unlink(key)));
      await expectNoLeakedKeys(topology, prefix);
    } finally {
      client.disconnect();
    }
  });
});

async function connect(topology: SharedTopology): Promise<Redis | Cluster> {
  if (topology === 'standalone') return new Redis(sharedRedis('standalone').url);
  const cluster = new Cluster([...sharedRedis('cluster').cluster.nodes], { lazyConnect: true });
  await cluster.connect();
  return cluster;
}

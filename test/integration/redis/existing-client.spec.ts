import { Cluster, Redis } from 'ioredis';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  describeTopologies,
  expectNoLeakedConnections,
  randomPrefix,
  sharedRedis,
  type SharedTopology,
} from '../../support/redis.js';
import { eventually, startRedis, startTcpProxy } from '../../../src/testing/index.js';
import { closeAfterEach, openModule, openRedis } from './open-redis.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';

expectNoLeakedConnections();
closeAfterEach();

const clients: (Redis | Cluster)[] = [];
afterEach(() => clients.splice(0).forEach((client) => client.disconnect()));

function applicationsOwn(topology: SharedTopology): Redis | Cluster {
  const options = sharedRedis(topology);
  const client =
    'cluster' in options ? new Cluster([...options.cluster.nodes]) : new Redis((options as { url: string }).url);
  clients.push(client);
  return client;
}

const listenersOf = (client: Redis | Cluster): Record<string, number> => {
  const nodes = client.isCluster ? (client as Cluster).nodes() : [];
  const counted = [client, ...nodes].flatMap((emitter, i) =>
    emitter.eventNames().map((event) => [`${i}:${String(event)}`, emitter.listenerCount(event)] as const),
  );
  return Object.fromEntries(counted.filter(([, count]) => count > 0));
};

describeTopologies((topology) => {
  it('is used, and lives on without a trace when the application has closed', async () => {
    const client = applicationsOwn(topology);
    const key = randomPrefix();
    await client.set(key, 'before', 'PX', 60_000);
    const listeners = listenersOf(client);

    const module = await openModule({ client });
    const redis = module.get(RedisConnections, { strict: false }).get();
    expect(redis.client).toBe(client);
    expect(redis.health.status.state).toBe('up');
    expect(String(await redis.get(key))).toBe('before');
    await redis.send('SET', [key, 'after', 'PX', 60_000]);
    const stop = await redis.subscriber.subscribe(key, () => undefined);
    stop();
    await module.close();

    await expect(redis.send('PING', [])).rejects.toMatchObject({ reason: 'closing', mayHaveRun: false });
    expect(client.status).toBe('ready');
    expect(await client.get(key)).toBe('after');
    expect(listenersOf(client)).toEqual(listeners);
  });

  it('is connected when it has not been', async () => {
    const options = sharedRedis(topology);
    const client =
      'cluster' in options
        ? new Cluster([...options.cluster.nodes], { lazyConnect: true })
        : new Redis((options as { url: string }).url, { lazyConnect: true });
    clients.push(client);
    const redis = await openRedis({ client });
    expect(redis.health.isUp).toBe(true);
  });
});

describe('an application’s client whose connection hangs', () => {
  it('is left alone, and used again when it answers', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server.nodes[0]!);
    const client = new Redis(proxy.port, proxy.host, { maxRetriesPerRequest: 0 });
    clients.push(client);
    const redis = await openRedis({
      client,
      deadline: '100ms',
      breaker: { hangLimit: '200ms', probeInterval: '50ms' },
    });
    const { stream } = client;
    proxy.freeze();
    await expect(redis.send('PING', [])).rejects.toMatchObject({ reason: 'deadline' });
    await eventually(() => expect(redis.health.status.sinceMs).toBeGreaterThan(500));
    await proxy.heal();
    await eventually(() => redis.send('PING', []));
    expect(client.stream).toBe(stream);
  });
});

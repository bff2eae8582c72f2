import keySlot from 'cluster-key-slot';
import type { Cluster } from 'ioredis';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { RedisAddress } from '../../../src/core/redis/config/redis.options.js';
import { addressOf, primaryOf } from '../../../src/core/redis/lanes/cluster-nodes.js';
import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import type { ChangeFeed } from '../../../src/core/redis/tracking/change-feed.js';
import {
  eventually,
  startRedis,
  startTcpProxy,
  type RedisNode,
  type RedisServer,
  type TcpProxy,
} from '../../../src/testing/index.js';
import { closeAfterEach, openRedis } from '../../integration/redis/open-redis.js';
import { OwnTime } from '../../support/own-time.js';
import { expectNoLeakedConnections } from '../../support/redis.js';

expectNoLeakedConnections();
closeAfterEach();

const clocks: OwnTime[] = [];
afterEach(() => {
  for (const own of clocks.splice(0)) own[Symbol.dispose]();
});

/** What was noticed of a fault, and how long after it began. */
interface Noticed {
  readonly live: boolean;
  readonly epoch: number;
  readonly afterMs: number;
}

/** Everything that a feed tells of gaps, timed from now to the end of the test. */
function noticedBy(feed: ChangeFeed): Noticed[] {
  const noticed: Noticed[] = [];
  const own = new OwnTime();
  clocks.push(own);
  feed.onEpoch(() => noticed.push({ live: feed.live, epoch: feed.epoch, afterMs: Math.round(own.ms) }));
  return noticed;
}

/** The promise that everything kept in memory stands on. */
async function expectNoticedWithin3s(noticed: readonly Noticed[], before: number): Promise<Noticed> {
  await eventually(() => expect(noticed.some(({ live, epoch }) => !live && epoch > before)).toBe(true));
  const [first] = noticed.filter(({ live, epoch }) => !live && epoch > before) as [Noticed];
  expect(first.afterMs).toBeLessThan(3_000);
  return first;
}

async function liveFeed(redis: RedisConnection): Promise<{ readonly feed: ChangeFeed; readonly seen: string[] }> {
  const feed = redis.changes('a:');
  const seen: string[] = [];
  feed.onChange((key) => seen.push(key));
  await feed.untilLive({ within: '10s' });
  return { feed, seen };
}

/** Live again, and under another epoch than the one that the loss brought, so that what was read in between is not trusted. */
async function expectLiveAgain(feed: ChangeFeed, loss: Noticed, seen: string[], node: RedisNode): Promise<void> {
  await feed.untilLive({ within: '10s' });
  expect(feed.epoch).toBeGreaterThan(loss.epoch);
  await node.command('SET', 'a:after', 'x');
  await eventually(() => expect(seen).toContain('a:after'));
}

describe('a feed whose server or network fails', () => {
  it.each<[string, (server: RedisServer, proxy: TcpProxy) => Promise<void> | void]>([
    ['is reset by the network', (_, proxy) => proxy.cut()],
    ['is refused by the network', (_, proxy) => proxy.refuse()],
    ['hears nothing any more', (_, proxy) => proxy.freeze()],
    ['meets a frozen server', ({ nodes: [node] }) => node?.pause()],
    ['meets a dead server', ({ nodes: [node] }) => node?.kill()],
    [
      'is ended by the server',
      async ({ nodes: [node] }) => void (await node?.command('CLIENT', 'KILL', 'TYPE', 'pubsub')),
    ],
  ])('notices within 3 s when it %s, and is live again after', async (_, fail) => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server.nodes[0]!);
    const [node] = server.nodes as [RedisNode];
    const { feed, seen } = await liveFeed(await openRedis({ url: `redis://127.0.0.1:${proxy.port}` }));
    const { epoch } = feed;
    const noticed = noticedBy(feed);
    await fail(server, proxy);
    const loss = await expectNoticedWithin3s(noticed, epoch);

    await node.start();
    await node.resume();
    await proxy.heal();
    await expectLiveAgain(feed, loss, seen, node);
  });

  it('is not live in a process that stood still, until the server answers, and misses nothing', async () => {
    await using server = await startRedis();
    const { feed, seen } = await liveFeed(await openRedis(server.connectionOptions));
    const { epoch } = feed;
    const noticed = noticedBy(feed);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_600);
    await eventually(() => expect(noticed.map(({ live }) => live)).toEqual([false, true]));
    await server.nodes[0]?.command('SET', 'a:1', 'x');
    await eventually(() => expect(seen).toEqual(['a:1']));
    expect(feed.epoch).toBe(epoch);
  });

  it('notices when it cannot keep up and the server ends it, as any other gap', async () => {
    await using server = await startRedis();
    const [node] = server.nodes as [RedisNode];
    const { feed } = await liveFeed(await openRedis(server.connectionOptions));
    const { epoch } = feed;
    await node.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 1 1 0');
    const pairs = Array.from({ length: 2_000 }, (_, i) => [`a:${'long'.repeat(20)}:${i}`, 'x']).flat();
    await node.command('MSET', ...pairs);
    await eventually(() => expect(feed.epoch).toBeGreaterThanOrEqual(epoch + 2));
    await node.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 0 0 0');
    await feed.untilLive();
  });
});

/** Which node holds a key, as this connection knows it. */
function ownerOf(redis: RedisConnection, key: string): string {
  return addressOf(primaryOf(redis.client as Cluster, keySlot(key))!);
}

function keyOn(redis: RedisConnection, { host, port }: RedisAddress): string {
  for (let i = 0; ; i++) if (ownerOf(redis, `a:${i}`) === `${host}:${port}`) return `a:${i}`;
}

describe('a feed of a cluster', () => {
  it('is not live while one primary is silent', async () => {
    await using server = await startRedis({ topology: 'cluster', nodeTimeout: '10s' });
    const redis = await openRedis(server.connectionOptions);
    const { feed, seen } = await liveFeed(redis);
    const node = server.masters[1] as RedisNode;
    const key = keyOn(redis, node);
    const { epoch } = feed;
    const noticed = noticedBy(feed);
    await node.pause();
    await expectNoticedWithin3s(noticed, epoch);
    await node.resume();
    await feed.untilLive({ within: '10s' });
    await node.command('SET', key, 'x');
    await eventually(() => expect(seen).toContain(key));
  });

  it('is live again only with the replica that takes over from a dead primary', async () => {
    await using server = await startRedis({ topology: 'cluster', replicasPerMaster: 1, nodeTimeout: '1s' });
    const redis = await openRedis(server.connectionOptions);
    const { feed, seen } = await liveFeed(redis);
    const node = server.masters[0] as RedisNode;
    const key = keyOn(redis, node);
    const { epoch } = feed;
    const noticed = noticedBy(feed);
    await node.kill();
    await expectNoticedWithin3s(noticed, epoch);
    await feed.untilLive({ within: '20s' });
    expect(ownerOf(redis, key)).not.toBe(`${node.host}:${node.port}`);
    await eventually(() => redis.send('SET', [key, 'x']));
    await eventually(() => expect(seen).toContain(key));
  });

  it('follows the slots to another primary within 3 s, though the old one lives and no command of ours is sent there', async () => {
    await using server = await startRedis({ topology: 'cluster', replicasPerMaster: 1, nodeTimeout: '5s' });
    const redis = await openRedis(server.connectionOptions);
    const { feed, seen } = await liveFeed(redis);
    const node = server.masters[0] as RedisNode;
    const replica = server.nodes[server.masters.length] as RedisNode;
    const key = keyOn(redis, node);
    await eventually(
      async () => expect(String(await replica.command('INFO', 'replication'))).toContain('master_link_status:up'),
      { within: '20s' },
    );
    const { epoch } = feed;
    const noticed = noticedBy(feed);
    await replica.command('CLUSTER', 'FAILOVER', 'TAKEOVER');
    await expectNoticedWithin3s(noticed, epoch);
    await feed.untilLive({ within: '10s' });
    // What only the new primary tells: the old one is cut off from it.
    await node.kill();
    await feed.untilLive({ within: '10s' });
    await replica.command('SET', key, 'x');
    await eventually(() => expect(seen).toContain(key));
  });

  it('is heard through addresses that are translated', async () => {
    await using server = await startRedis({ topology: 'cluster' });
    const proxies = await Promise.all(server.nodes.map((node) => startTcpProxy(node)));
    try {
      const reachable = proxies.map(({ host, port }) => ({ host, port }));
      const natMap = Object.fromEntries(server.nodes.map(({ host, port }, i) => [`${host}:${port}`, reachable[i]!]));
      const redis = await openRedis({ cluster: { nodes: reachable, natMap } });
      const { feed } = await liveFeed(redis);
      const { epoch } = feed;
      const noticed = noticedBy(feed);
      proxies[2]?.freeze();
      await expectNoticedWithin3s(noticed, epoch);
      await proxies[2]?.heal();
      await feed.untilLive({ within: '10s' });
    } finally {
      await Promise.all(proxies.map((proxy) => proxy.stop()));
    }
  });
});

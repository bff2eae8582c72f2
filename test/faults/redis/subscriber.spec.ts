import { describe, expect, it } from '@jest/globals';
import { eventually, startRedis, startTcpProxy, type RedisServer } from '../../../src/testing/index.js';
import { closeAfterEach, openRedis } from '../../integration/redis/open-redis.js';
import { expectNoLeakedConnections } from '../../support/redis.js';
import { timed } from './outcome.js';

expectNoLeakedConnections();
closeAfterEach();

const numberOfSubscribers = async (server: RedisServer, channel: string): Promise<unknown> =>
  ((await server.nodes[0]?.command('PUBSUB', 'NUMSUB', channel)) as unknown[])[1];

describe('subscriptions', () => {
  it('outlive the connection, and whoever asked is told of the gap', async () => {
    await using server = await startRedis();
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    const { subscriber } = await openRedis(server.connectionOptions);
    const seen: string[] = [];
    let gaps = 0;
    const stop = subscriber.onGap(() => void (gaps += 1));
    await subscriber.subscribe('one', (message) => seen.push(`one:${String(message)}`));
    await subscriber.subscribe('two', (message) => seen.push(`two:${String(message)}`));
    expect(gaps).toBe(0);

    await node.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(() => expect(gaps).toBe(1));
    await node.command('PUBLISH', 'one', 'after');
    await node.command('PUBLISH', 'two', 'after');
    await eventually(() => expect(seen.sort()).toEqual(['one:after', 'two:after']));

    stop();
    await node.kill();
    await node.start();
    await eventually(async () => expect(await numberOfSubscribers(server, 'two')).toBe(1));
    expect(gaps).toBe(1);
  });

  it('outlive a connection that is dead without having been closed: the heartbeat finds it', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server.nodes[0]!);
    const { subscriber } = await openRedis({
      url: `redis://127.0.0.1:${proxy.port}`,
      breaker: { hangLimit: '200ms' },
    });
    let gaps = 0;
    let seen = 0;
    subscriber.onGap(() => void (gaps += 1));
    await subscriber.subscribe('news', () => void (seen += 1));
    const before = proxy.connections;
    proxy.freeze();
    // Given up at our end, and asked for anew: the frozen proxy holds on to all of them.
    await eventually(() => expect(proxy.connections).toBeGreaterThan(before));
    await proxy.heal();
    await eventually(() => expect(gaps).toBeGreaterThan(0));
    await server.nodes[0]?.command('PUBLISH', 'news', 'x');
    await eventually(() => expect(seen).toBe(1));
  });

  it('survive a heartbeat on a quiet, healthy connection', async () => {
    await using server = await startRedis();
    const { subscriber } = await openRedis({ ...server.connectionOptions, breaker: { hangLimit: '300ms' } });
    let gaps = 0;
    subscriber.onGap(() => void (gaps += 1));
    await subscriber.subscribe('news', () => undefined);
    const pings = async (): Promise<number> =>
      Number(/cmdstat_ping:calls=(\d+)/.exec(String(await server.nodes[0]?.command('INFO', 'commandstats')))?.[1] ?? 0);
    await eventually(async () => expect(await pings()).toBeGreaterThan(3));
    expect(gaps).toBe(0);
  });
});

describe('a subscription asked for while the server is away', () => {
  it('is refused within the deadline, leaves nothing behind, and can be asked for again', async () => {
    await using server = await startRedis();
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    const { subscriber } = await openRedis({ ...server.connectionOptions, deadline: '200ms' });
    await node.kill();
    let early = 0;
    const refused = await timed(subscriber.subscribe('news', () => void (early += 1)));
    expect(refused.error).toMatchObject({ reason: 'not-connected', mayHaveRun: false });
    expect(refused.ownMs).toBeLessThan(1_500);
    await node.start();
    let seen = 0;
    await eventually(() => subscriber.subscribe('other', () => void (seen += 1)));
    expect(await numberOfSubscribers(server, 'news')).toBe(0);
    await node.command('PUBLISH', 'news', 'x');
    await node.command('PUBLISH', 'other', 'x');
    await eventually(() => expect(seen).toBe(1));
    expect(early).toBe(0);
  });

  it('is granted when the server is back within the deadline', async () => {
    await using server = await startRedis();
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    const { subscriber } = await openRedis({ ...server.connectionOptions, deadline: '20s' });
    await subscriber.subscribe('before', () => undefined);
    await node.kill();
    let seen = 0;
    const waiting = subscriber.subscribe('news', () => void (seen += 1));
    await node.start();
    await waiting;
    await node.command('PUBLISH', 'news', 'x');
    await eventually(() => expect(seen).toBe(1));
  });

  it('is undone when the confirmation came too late', async () => {
    await using server = await startRedis();
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    const { subscriber } = await openRedis({ ...server.connectionOptions, deadline: '200ms' });
    await subscriber.subscribe('kept', () => undefined);
    await node.pause();
    let late = 0;
    await expect(subscriber.subscribe('news', () => void (late += 1))).rejects.toMatchObject({
      reason: 'deadline',
      mayHaveRun: false,
    });
    await node.resume();
    await eventually(async () => expect(await numberOfSubscribers(server, 'kept')).toBe(1));
    await eventually(async () => expect(await numberOfSubscribers(server, 'news')).toBe(0));
    await node.command('PUBLISH', 'news', 'x');
    expect(late).toBe(0);
  });
});

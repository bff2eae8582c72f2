import type { Redis } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import { eventually, startRedis, startTcpProxy } from '../../../src/testing/index.js';
import { openModule, openRedis } from '../../integration/redis/open-redis.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { settled, timed } from './outcome.js';

expectNoLeakedConnections();

/** What keeps this process alive, but for the two timers of a test that waits: its own limit, and that of `eventually`. */
function alive(): string[] {
  const kinds = process.getActiveResourcesInfo();
  const timers = kinds.filter((kind) => kind === 'Timeout').slice(2);
  return [...kinds.filter((kind) => kind.startsWith('TCP')), ...timers];
}

describeTopologies((topology) => {
  it('lets commands under way finish, and refuses later ones', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const prefix = randomPrefix();
    const under = settled(
      Array.from({ length: 50 }, (_, i) => redis.send('SET', [`${prefix}:${i}`, '', 'PX', 10_000])),
    );
    const close = redis.close();
    await expect(redis.send('PING', [])).rejects.toMatchObject({ reason: 'closing', mayHaveRun: false });
    await expect(redis.get('key')).rejects.toMatchObject({ reason: 'closing', mayHaveRun: false });
    await Promise.all([close, redis.close()]);
    expect((await under).map(({ value }) => String(value))).toEqual(Array(50).fill('OK'));
    expect(redis.health.status).toMatchObject({ state: 'down', reason: 'closed' });
  });

  it('does not wait for frozen servers, settles everything and leaves no socket and no timer', async () => {
    await using server = topology === 'cluster' ? await startRedis({ topology }) : await startRedis();
    const module = await openModule({ ...server.connectionOptions, deadline: '10s' });
    const redis = module.get(RedisConnections, { strict: false }).get();
    await redis.subscriber.subscribe('news', () => undefined);
    const blocking = redis.blocking('list');
    expect(await blocking.run('BLPOP', ['list', 0.01], 2_000)).toBeNull();
    await Promise.all(server.nodes.map((node) => node.pause()));

    const under = settled([redis.send('INCR', ['a']), redis.get('b'), blocking.run('BLPOP', ['list', 2], 2_000)]);
    const closed = await timed(module.close());
    // A command had ten seconds; closing has two, and a busy machine may add to them.
    expect(closed.ownMs).toBeLessThan(6_000);
    for (const { error } of await under) expect(error).toMatchObject({ code: 'ROOKERY_REDIS_UNAVAILABLE' });
    await eventually(() => expect(alive()).toEqual([]), { within: '4s' });
  });
});

describe('closing on a long line', () => {
  it('waits for the replies that are under way', async () => {
    const { hostname, port } = new URL(sharedRedis('standalone').url);
    await using proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const redis = await openRedis({ url: `redis://127.0.0.1:${proxy.port}`, deadline: '5s' });
    proxy.delay('200ms');
    const under = redis.send('PING', []);
    await redis.close();
    expect(String(await under)).toBe('PONG');
  });
});

describe('closing while the connection is being made', () => {
  it.each(['lost', 'mute'] as const)('ends the attempts on a %s server, and leaves no timer', async (fault) => {
    const { hostname, port } = new URL(sharedRedis('standalone').url);
    const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const redis = await openRedis({ url: `redis://127.0.0.1:${proxy.port}`, breaker: { hangLimit: '200ms' } });
    if (fault === 'mute') proxy.freeze();
    else await proxy.refuse();
    (redis.client as Redis).stream.destroy();
    await eventually(() => expect(redis.health.isUp).toBe(false));
    const closed = await timed(redis.close());
    expect(closed.ownMs).toBeLessThan(5_000);
    await proxy.stop();
    await eventually(() => expect(alive()).toEqual([]), { within: '5s' });
  });
});

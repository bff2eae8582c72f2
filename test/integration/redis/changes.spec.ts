import { Logger } from '@nestjs/common';
import { Cluster, Redis } from 'ioredis';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { ChangeFeed } from '../../../src/core/redis/tracking/change-feed.js';
import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import { eventually, startRedis } from '../../../src/testing/index.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { closeAfterEach, openRedis } from './open-redis.js';

expectNoLeakedConnections();
closeAfterEach();
afterEach(() => void jest.restoreAllMocks());

async function liveFeed(redis: RedisConnection, prefix: string): Promise<ChangeFeed> {
  const feed = redis.changes(prefix);
  await feed.untilLive();
  return feed;
}

function collect(feed: ChangeFeed): string[] {
  const seen: string[] = [];
  feed.onChange((key) => seen.push(key));
  return seen;
}

describeTopologies((topology) => {
  it('tells of what anybody writes and deletes, and of what expires, key by key', async () => {
    const [redis, other] = [await openRedis(sharedRedis(topology)), await openRedis(sharedRedis(topology))];
    const prefix = randomPrefix();
    const keys = Array.from({ length: 50 }, (_, i) => `${prefix}:ünï:${i}`);
    const feed = await liveFeed(redis, `${prefix}:`);
    expect(feed.kind).toBe('tracking');
    const { epoch } = feed;
    const seen = collect(feed);
    const expectAll = (): Promise<void> => eventually(() => expect(new Set(seen)).toEqual(new Set(keys)));

    await Promise.all(keys.map((key) => other.send('SET', [key, 'x', 'PX', 60_000])));
    await expectAll();
    seen.length = 0;
    await Promise.all(keys.map((key) => other.send('UNLINK', [key])));
    await expectAll();
    seen.length = 0;
    await Promise.all(keys.map((key) => redis.send('HSET', [key, 'field', 'our own'])));
    await expectAll();
    seen.length = 0;
    await Promise.all(keys.map((key) => other.send('SET', [key, 'x', 'PX', 20])));
    const timesTold = (key: string): number => seen.filter((told) => told === key).length;
    await eventually(async () => {
      // Redis removes, and tells of, what has expired when it comes across it: at once when somebody asks for it.
      await Promise.all(keys.map((key) => other.send('EXISTS', [key])));
      expect(Math.min(...keys.map(timesTold))).toBe(2);
    });
    expect({ live: feed.live, epoch: feed.epoch }).toEqual({ live: true, epoch });
  });

  it('tells of the keys under its prefix alone, though it looks like a pattern', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const prefix = randomPrefix();
    const seen = collect(await liveFeed(redis, `${prefix}*:`));
    await redis.send('SET', [`${prefix}x:{a}`, 'x', 'PX', 60_000]);
    await redis.send('SET', [`${prefix}*:{a}`, 'x', 'PX', 60_000]);
    await eventually(() => expect(seen).toEqual([`${prefix}*:{a}`]));
  });

  it('is one for all who ask for the same prefix, and each hears until it closes its share', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const prefix = randomPrefix();
    const [one, other] = [await liveFeed(redis, prefix), redis.changes(prefix)];
    expect(other.live).toBe(true);
    expect(other.epoch).toBe(one.epoch);
    const [seenByOne, seenByOther] = [collect(one), collect(other)];
    let epochs = 0;
    one.onEpoch(() => void (epochs += 1));
    const cancel = other.onChange(() => {
      throw new Error('was cancelled');
    });
    cancel();
    await redis.send('SET', [`${prefix}1`, 'x', 'PX', 60_000]);
    await eventually(() => expect([seenByOne, seenByOther]).toEqual([[`${prefix}1`], [`${prefix}1`]]));

    one.close();
    one.close();
    expect([one.live, other.live]).toEqual([false, true]);
    await redis.send('SET', [`${prefix}2`, 'x', 'PX', 60_000]);
    await eventually(() => expect(seenByOther).toEqual([`${prefix}1`, `${prefix}2`]));
    expect(seenByOne).toEqual([`${prefix}1`]);
    await expect(one.untilLive()).rejects.toMatchObject({ reason: 'closing' });
    await redis.close();
    expect(other.live).toBe(false);
    expect(epochs).toBe(0);
  });

  it('spares the others when a listener throws, and logs it without the key', async () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const redis = await openRedis(sharedRedis(topology));
    const prefix = randomPrefix();
    const feed = await liveFeed(redis, prefix);
    feed.onChange(() => {
      throw new Error('oops');
    });
    const seen = collect(feed);
    await redis.send('SET', [`${prefix}1`, 'x', 'PX', 60_000]);
    await eventually(() => expect(seen).toEqual([`${prefix}1`]));
    expect(log.mock.calls.flat().join()).toContain('A listener to changes in Redis threw');
    expect(log.mock.calls.flat().join()).not.toContain(prefix);
  });

  it('ends with the connection: not live, told so, and not to be waited for', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const feed = await liveFeed(redis, randomPrefix());
    const { epoch } = feed;
    const seen: boolean[] = [];
    feed.onEpoch(() => seen.push(feed.live));
    await redis.close();
    expect(seen).toEqual([false]);
    expect(feed.epoch).toBeGreaterThan(epoch);
    await expect(feed.untilLive()).rejects.toMatchObject({ reason: 'closing' });
    const late = redis.changes(randomPrefix());
    expect(late.live).toBe(false);
    await expect(late.untilLive()).rejects.toMatchObject({ reason: 'closing' });
  });

  it('comes over connections of its own where the application brought its client, whatever that speaks', async () => {
    const options = sharedRedis(topology);
    const client =
      'cluster' in options
        ? new Cluster([...options.cluster.nodes], { redisOptions: { protocol: 3 } })
        : new Redis((options as { url: string }).url, { protocol: 3 });
    try {
      const redis = await openRedis({ client });
      const prefix = randomPrefix();
      const seen = collect(await liveFeed(redis, prefix));
      await redis.send('SET', [`${prefix}1`, 'x', 'PX', 60_000]);
      await eventually(() => expect(seen).toEqual([`${prefix}1`]));
      await redis.close();
      expect(client.status).toBe('ready');
      const listeners = ['+node', '-node', 'refresh'].map((event) => client.listenerCount(event));
      expect(listeners).toEqual([0, 0, 0]);
    } finally {
      client.disconnect();
    }
  });
});

describe.each(['standalone', 'cluster'] as const)('on %s, an ACL user', (topology) => {
  it('hears of changes with no more rights than it needs', async () => {
    await using server = await startRedis({ topology });
    const rights = '-@all +info +ping +client|id +client|tracking +subscribe +cluster|slots +cluster|myid';
    for (const node of server.nodes) {
      const channels = ['resetchannels', '&__redis__:invalidate'];
      await node.command('ACL', 'SETUSER', 'app', 'on', '>secret', '~a:*', ...channels, ...rights.split(' '));
    }
    const redis = await openRedis({ ...server.connectionOptions, username: 'app', password: 'secret' });
    const feed = await liveFeed(redis, 'a:');
    expect(feed.kind).toBe('tracking');
  });
});

describe('a feed', () => {
  const trackers = async (client: RedisConnection): Promise<number> =>
    String(await client.send('CLIENT', ['LIST']))
      .split('\n')
      .filter((line) => / flags=\S*t/.test(line)).length;

  it('has one connection for all its users, which ends with the last', async () => {
    await using server = await startRedis();
    const redis = await openRedis(server.connectionOptions);
    expect(await trackers(redis)).toBe(0);
    const feeds = [await liveFeed(redis, 'a:'), await liveFeed(redis, 'a:')];
    expect(await trackers(redis)).toBe(1);
    feeds[0]?.close();
    expect(await trackers(redis)).toBe(1);
    feeds[1]?.close();
    await eventually(async () => expect(await trackers(redis)).toBe(0));
    await liveFeed(redis, 'a:');
    expect(await trackers(redis)).toBe(1);
  });

  it('exists beside another whose prefix overlaps', async () => {
    const redis = await openRedis(sharedRedis('standalone'));
    const prefix = randomPrefix();
    const [wide, narrow] = [await liveFeed(redis, prefix), await liveFeed(redis, `${prefix}:cache:`)];
    const [seenWide, seenNarrow] = [collect(wide), collect(narrow)];
    await redis.send('SET', [`${prefix}:lock:1`, 'x', 'PX', 60_000]);
    await redis.send('SET', [`${prefix}:cache:1`, 'x', 'PX', 60_000]);
    await eventually(() => expect(seenWide).toEqual([`${prefix}:lock:1`, `${prefix}:cache:1`]));
    await eventually(() => expect(seenNarrow).toEqual([`${prefix}:cache:1`]));
  });

  it.each(['FLUSHALL', 'FLUSHDB'])('grows its epoch when everything goes by %s, and stays live', async (flush) => {
    await using server = await startRedis();
    const redis = await openRedis(server.connectionOptions);
    const feed = await liveFeed(redis, 'a:');
    const { epoch } = feed;
    const seen: [boolean, number][] = [];
    feed.onEpoch(() => seen.push([feed.live, feed.epoch]));
    await server.nodes[0]?.command(flush);
    await eventually(() => expect(seen).toEqual([[true, epoch + 1]]));
  });

  it('can be waited for, for so long, or until a signal', async () => {
    await using server = await startRedis();
    const redis = await openRedis(server.connectionOptions);
    await server.nodes[0]?.kill();
    const feed = redis.changes('a:');
    const { epoch } = feed;
    await expect(feed.untilLive({ within: '50ms' })).rejects.toMatchObject({ reason: 'not-connected' });
    const reason = new Error('enough');
    await expect(feed.untilLive({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const waiting = feed.untilLive({ within: '20s' });
    await server.nodes[0]?.start();
    await waiting;
    expect(feed.live).toBe(true);
    // What was read before it became live must not be taken for something that it would have told of.
    expect(feed.epoch).toBeGreaterThan(epoch);
  });
});

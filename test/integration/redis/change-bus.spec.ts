import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { eventually, startRedis, startTcpProxy, type RedisServer } from '../../../src/testing/index.js';
import { OwnTime } from '../../support/own-time.js';
import { expectNoLeakedConnections } from '../../support/redis.js';
import { closeAfterEach, openRedis } from './open-redis.js';
import type { SingleRedisOptions } from '../../../src/core/redis/config/redis.options.js';
import type { ChangeFeed } from '../../../src/core/redis/tracking/change-feed.js';
import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';

expectNoLeakedConnections();
closeAfterEach();
afterEach(() => void jest.restoreAllMocks());

/** Lets `app` do all but some commands, and hear some channels. Returns how it logs in. */
async function withUser(server: RedisServer, ...rules: string[]): Promise<{ username: string; password: string }> {
  for (const node of server.nodes) {
    await node.command('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', ...rules);
  }
  return { username: 'app', password: 'secret' };
}

function collect(feed: ChangeFeed): string[] {
  const seen: string[] = [];
  feed.onChange((key) => seen.push(key));
  return seen;
}

function warnings(): string[] {
  const said: string[] = [];
  jest.spyOn(Logger.prototype, 'warn').mockImplementation((message: unknown) => void said.push(String(message)));
  return said;
}

async function feedOf(redis: RedisConnection): Promise<ChangeFeed> {
  const feed = redis.changes('a:');
  await feed.untilLive();
  return feed;
}

describe.each(['standalone', 'cluster'] as const)('where %s does not tell of changes', (topology) => {
  it('they are announced from process to process, which is said once', async () => {
    await using server = await startRedis({ topology });
    const user = await withUser(server, '&*', '-client|tracking');
    const said = warnings();
    const [redis, other] = [
      await openRedis({ ...server.connectionOptions, ...user }),
      await openRedis({ ...server.connectionOptions, ...user }),
    ];
    const [feed, others] = [await feedOf(redis), await feedOf(other)];
    expect([feed.kind, others.kind]).toEqual(['bus', 'bus']);
    const [seen, seenByOther] = [collect(feed), collect(others)];
    const { epoch } = feed;
    const keys = ['a:1', 'a:ünï', 'a:"quoted"'];
    await feed.announce(keys);
    await eventually(() => expect([seen, seenByOther]).toEqual([keys, keys]));
    await feed.announce([]);
    await server.masters[0]?.command('PUBLISH', 'a:changes', '["a:last"]');
    await eventually(() => expect(seen).toEqual([...keys, 'a:last']));
    expect(feed.epoch).toBe(epoch);
    const about = said.filter((message) => message.includes('CLIENT TRACKING: NOPERM'));
    expect(about).toHaveLength(2);
    expect(about[0]).toContain('those that others than Rookery make are not seen');
  });
});

describe('the bus', () => {
  it('needs no announcement where the server tells by itself, and none is sent', async () => {
    await using server = await startRedis();
    const redis = await openRedis(server.connectionOptions);
    const feed = await feedOf(redis);
    const before = redis.counters.commands;
    await feed.announce(['a:1']);
    expect(redis.counters.commands).toBe(before);
    expect(feed.kind).toBe('tracking');
  });

  it('rejects when the others may not have been told', async () => {
    await using server = await startRedis();
    const user = await withUser(server, '&*', '-client|tracking');
    const redis = await openRedis({ ...server.connectionOptions, ...user });
    const feed = await feedOf(redis);
    await server.nodes[0]?.kill();
    await expect(feed.announce(['a:1'])).rejects.toMatchObject({ code: 'ROOKERY_REDIS_UNAVAILABLE' });
  });

  it('announces also while it is not known yet whether the server tells', async () => {
    await using server = await startRedis();
    const user = await withUser(server, '&*', '-client|tracking');
    const options = { ...server.connectionOptions, ...user };
    const seen = collect(await feedOf(await openRedis(options)));
    const early = (await openRedis(options)).changes('a:');
    await early.announce(['a:1']);
    await eventually(() => expect(seen).toEqual(['a:1']));
  });

  it('takes an announcement that it cannot read for a gap', async () => {
    await using server = await startRedis();
    const user = await withUser(server, '&*', '-client|tracking');
    const feed = await feedOf(await openRedis({ ...server.connectionOptions, ...user }));
    const { epoch } = feed;
    for (const [i, message] of ['{', '{}', '[1]'].entries()) {
      await server.nodes[0]?.command('PUBLISH', 'a:changes', message);
      await eventually(() => expect(feed.epoch).toBe(epoch + i + 1));
    }
    expect(feed.live).toBe(true);
  });

  it('is never live when it is refused as well, which is said', async () => {
    await using server = await startRedis();
    const user = await withUser(server, 'resetchannels', '&other-*');
    const said = warnings();
    const redis = await openRedis({ ...server.connectionOptions, ...user });
    const feed = redis.changes('a:');
    await eventually(() => expect(said.join()).toContain('changes cannot be announced either (NOPERM)'));
    expect(feed.live).toBe(false);
    await expect(feed.untilLive({ within: '50ms' })).rejects.toMatchObject({ reason: 'not-connected' });
  });

  it.each(['cut', 'freeze', 'refuse'] as const)(
    'notices within 3 s a network that fails (%s), and is live again after',
    async (fault) => {
      await using server = await startRedis();
      await using proxy = await startTcpProxy(server.nodes[0]!);
      const user = await withUser(server, '&*', '-client|tracking');
      const options: SingleRedisOptions = { url: `redis://127.0.0.1:${proxy.port}`, ...user };
      const feed = await feedOf(await openRedis(options));
      const seen = collect(feed);
      const { epoch } = feed;
      const noticed: { live: boolean; grew: boolean; afterMs: number }[] = [];
      using own = new OwnTime();
      feed.onEpoch(() => noticed.push({ live: feed.live, grew: feed.epoch > epoch, afterMs: own.ms }));
      await proxy[fault]();
      await eventually(() => expect(noticed.some(({ live, grew }) => !live && grew)).toBe(true));
      expect(noticed.find(({ live, grew }) => !live && grew)?.afterMs).toBeLessThan(3_000);
      await proxy.heal();
      await feed.untilLive({ within: '10s' });
      expect(feed.epoch).toBeGreaterThan(epoch + 1);
      await eventually(() => feed.announce(['a:after']));
      await eventually(() => expect(seen).toContain('a:after'));
    },
  );
});

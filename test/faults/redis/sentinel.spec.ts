import { describe, expect, it } from '@jest/globals';
import { eventually, startRedis } from '../../../src/testing/index.js';
import { closeAfterEach, openRedis } from '../../integration/redis/open-redis.js';
import { expectNoLeakedConnections } from '../../support/redis.js';

expectNoLeakedConnections();
closeAfterEach();

describe('behind Sentinels', () => {
  it('follows the primary when another takes its place, in every role', async () => {
    await using server = await startRedis({ topology: 'sentinel', downAfter: '300ms' });
    const [first] = server.sentinels as [(typeof server.sentinels)[0]];
    // A Sentinel that is frozen must not keep us from asking the next.
    await first.pause();
    const redis = await openRedis({ ...server.connectionOptions, connectWithin: '10s' });
    expect(redis.health.isUp).toBe(true);
    let seen = 0;
    await eventually(() => redis.subscriber.subscribe('news', () => void (seen += 1)));
    const blocking = redis.blocking('list');
    expect(await blocking.run('BLPOP', ['list', 0.01], 2_000)).toBeNull();
    await redis.send('SET', ['key', 'before']);
    expect(await redis.send('WAIT', [1, 10_000], { deadlineMs: 12_000 })).toBe(1);
    await first.resume();

    await server.masters[0]?.kill();
    await eventually(() => redis.send('SET', ['key', 'after']), { within: '20s' });
    expect(String(await redis.get('key'))).toBe('after');
    expect(redis.health.isUp).toBe(true);
    await eventually(async () => {
      await redis.send('PUBLISH', ['news', 'x']);
      expect(seen).toBeGreaterThan(0);
    });
    await redis.send('RPUSH', ['list', 'item']);
    await eventually(async () =>
      expect(await blocking.run('BLPOP', ['list', 1], 1_000)).toEqual([Buffer.from('list'), Buffer.from('item')]),
    );
  });
});

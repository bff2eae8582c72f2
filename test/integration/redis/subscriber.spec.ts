import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { eventually, startRedis } from '../../../src/testing/index.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { closeAfterEach, openRedis } from './open-redis.js';

expectNoLeakedConnections();
closeAfterEach();
afterEach(() => void jest.restoreAllMocks());

describeTopologies((topology) => {
  it('delivers messages byte for byte, each channel’s to its own listeners', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const [one, other] = [randomPrefix(), randomPrefix()];
    const seen: [string, string][] = [];
    await redis.subscriber.subscribe(one, (message, channel) => seen.push([channel, message.toString('hex')]));
    await redis.subscriber.subscribe(other, (message, channel) => seen.push([channel, message.toString('hex')]));
    await redis.send('PUBLISH', [one, Buffer.from([0, 255])]);
    await redis.send('PUBLISH', [other, 'ok']);
    await eventually(() => expect(seen).toHaveLength(2));
    expect(seen.sort()).toEqual([[one, '00ff'] as [string, string], [other, '6f6b'] as [string, string]].sort());
  });

  it('lets each subscription end by itself, even of one function given twice', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const channel = randomPrefix();
    let seen = 0;
    const listener = (): void => void (seen += 1);
    const [cancelOne, cancelOther] = [
      await redis.subscriber.subscribe(channel, listener),
      await redis.subscriber.subscribe(channel, listener),
    ];
    await redis.send('PUBLISH', [channel, '1']);
    await eventually(() => expect(seen).toBe(2));
    cancelOne();
    cancelOne();
    await redis.send('PUBLISH', [channel, '2']);
    await eventually(() => expect(seen).toBe(3));
    cancelOther();
    // A subscription made after the end of the other proves that nothing of it is left.
    let last = 0;
    await redis.subscriber.subscribe(channel, () => void (last += 1));
    await redis.send('PUBLISH', [channel, '3']);
    await eventually(() => expect(last).toBe(1));
    expect(seen).toBe(3);
  });

  it('keeps the other listeners served when one throws, and logs it', async () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const redis = await openRedis(sharedRedis(topology));
    const channel = randomPrefix();
    let seen = 0;
    await redis.subscriber.subscribe(channel, () => {
      throw new Error('oops');
    });
    await redis.subscriber.subscribe(channel, () => void (seen += 1));
    await redis.send('PUBLISH', [channel, 'message']);
    await eventually(() => expect(seen).toBe(1));
    expect(log.mock.calls.flat().join()).toContain('A Pub/Sub listener threw');
    expect(log.mock.calls.flat().join()).not.toContain(channel);
  });

  it('ends with the connection: a subscription is refused and a waiting one settles', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const { subscriber } = redis;
    const waiting = subscriber.subscribe(randomPrefix(), () => undefined);
    await Promise.all([expect(waiting).rejects.toMatchObject({ reason: 'closing', mayHaveRun: false }), redis.close()]);
    await expect(subscriber.subscribe('x', () => undefined)).rejects.toMatchObject({ reason: 'closing' });
  });
});

describe('a subscriber', () => {
  it('unsubscribes on the server when the last listener goes, and not before', async () => {
    await using server = await startRedis();
    const redis = await openRedis(server.connectionOptions);
    const subscribers = async (): Promise<unknown> =>
      ((await redis.send('PUBSUB', ['NUMSUB', 'news'])) as unknown[])[1];
    const cancels = [
      await redis.subscriber.subscribe('news', () => undefined),
      await redis.subscriber.subscribe('news', () => undefined),
    ];
    cancels[0]?.();
    expect(await subscribers()).toBe(1);
    cancels[1]?.();
    await eventually(async () => expect(await subscribers()).toBe(0));
  });

  it('tells a channel that it may not have from a server that is away', async () => {
    await using server = await startRedis();
    await server.nodes[0]?.command('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', 'resetchannels', '&open-*');
    const redis = await openRedis({ ...server.connectionOptions, username: 'app', password: 'secret' });
    await expect(redis.subscriber.subscribe('closed', () => undefined)).rejects.toMatchObject({ replyCode: 'NOPERM' });
    let seen = 0;
    await redis.subscriber.subscribe('open-1', () => void (seen += 1));
    await server.nodes[0]?.command('PUBLISH', 'open-1', 'x');
    await eventually(() => expect(seen).toBe(1));
  });
});

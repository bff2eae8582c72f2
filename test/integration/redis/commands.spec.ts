import { Cluster, Redis } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../../src/core/errors/configuration.error.js';
import { RedisReplyError } from '../../../src/core/errors/redis.errors.js';
import { startRedis } from '../../../src/testing/index.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { closeAfterEach, openRedis } from './open-redis.js';

expectNoLeakedConnections();
closeAfterEach();

/** How often each command ran on a server, by `INFO commandstats`. */
async function callsOf(info: unknown): Promise<Record<string, number>> {
  const found = String(info).matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm);
  return Object.fromEntries([...found].map(([, name, calls]) => [name as string, Number(calls)]));
}

describeTopologies((topology) => {
  it('sends a command and gives its reply as it came', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const key = randomPrefix();
    const bytes = Buffer.from([0, 255, 13, 10]);
    expect(await redis.send('SET', [key, bytes, 'PX', 60_000])).toEqual(Buffer.from('OK'));
    expect(await redis.send('get', [key])).toEqual(bytes);
    expect(await redis.send('GET', [`${key}-absent`])).toBeNull();
    expect(await redis.send('PTTL', [key])).toEqual(expect.any(Number));
    expect(await redis.send('UNLINK', [key])).toBe(1);
    expect(String(await redis.send('PING', []))).toBe('PONG');
  });

  it('reads single keys, absent ones and those of another type', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const prefix = randomPrefix();
    await redis.send('SET', [`${prefix}:text`, 'value', 'PX', 60_000]);
    await redis.send('RPUSH', [`${prefix}:list`, 'item']);
    await redis.send('PEXPIRE', [`${prefix}:list`, 60_000]);
    const keys = ['text', 'absent', 'list', 'text'].map((name) => `${prefix}:${name}`);
    const values = await Promise.all(keys.map((key) => redis.get(key)));
    expect(values.map((value) => value?.toString())).toEqual(['value', undefined, undefined, 'value']);
  });

  it('gives the same replies over an application’s RESP3 client', async () => {
    const options = sharedRedis(topology);
    const client =
      'cluster' in options
        ? new Cluster([...options.cluster.nodes], { redisOptions: { protocol: 3 } })
        : new Redis((options as { url: string }).url, { protocol: 3 });
    const [own, given] = [await openRedis(options), await openRedis({ client })];
    const key = randomPrefix();
    const [hash, zset, stream] = [`{${key}}h`, `{${key}}z`, `{${key}}s`];
    await own.send('HSET', [hash, 'a', '1', 'b', '2']);
    await own.send('ZADD', [zset, 1, 'x', 2.5, 'y']);
    await own.send('XADD', [stream, '1-1', 'field', 'value']);
    const questions = [
      ['HGETALL', [hash]],
      ['ZRANGE', [zset, 0, -1, 'WITHSCORES']],
      ['zscore', [zset, 'y']],
      ['XREAD', ['STREAMS', stream, '0']],
      ['EVAL', ["return {1, true, false, 'text', {'nested'}}", 1, key]],
    ] as const;
    try {
      for (const [command, args] of questions) {
        expect(await given.send(command, args)).toEqual(await own.send(command, args));
        expect(await given.send(command.toLowerCase(), args)).toEqual(await own.send(command, args));
      }
    } finally {
      await own.send('UNLINK', [hash, zset, stream]);
      client.disconnect();
    }
  });

  it('rejects with the code of a refusal', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const key = randomPrefix();
    await redis.send('SET', [key, 'text', 'PX', 60_000]);
    const error = await redis.send('LPUSH', [key, 'item']).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RedisReplyError);
    expect(error).toMatchObject({ replyCode: 'WRONGTYPE' });
  });

  it.each(['SUBSCRIBE', 'multi', 'BLPOP'])('refuses %s, which the others would not survive', async (command) => {
    const redis = await openRedis(sharedRedis(topology));
    await expect(redis.send(command, ['x', 1])).rejects.toThrow(ConfigurationError);
    expect(String(await redis.send('PING', []))).toBe('PONG');
  });

  it('settles every one of many commands, in their order per key', async () => {
    const redis = await openRedis(sharedRedis(topology));
    const prefix = randomPrefix();
    const sums = await Promise.all(Array.from({ length: 2_000 }, (_, i) => redis.send('INCR', [`${prefix}:${i % 7}`])));
    sums.forEach((sum, i) => expect(sum).toBe(Math.floor(i / 7) + 1));
    await Promise.all(Array.from({ length: 7 }, (_, i) => redis.send('UNLINK', [`${prefix}:${i}`])));
  });
});

describe('reads of one tick', () => {
  it('share one MGET on a server', async () => {
    await using server = await startRedis();
    const redis = await openRedis(server.connectionOptions);
    const client = redis.client as Redis;
    await client.config('RESETSTAT');
    const values = await Promise.all(Array.from({ length: 50 }, (_, i) => redis.get(`key-${i}`)));
    expect(values).toEqual(Array(50).fill(null));
    const calls = await callsOf(await client.info('commandstats'));
    expect(calls).toMatchObject({ mget: 1 });
    expect(calls).not.toHaveProperty('get');
    expect(redis.counters).toMatchObject({ commands: 1, readsBatched: 50 });
  });

  it('share one MGET per slot on a cluster', async () => {
    const redis = await openRedis(sharedRedis('cluster'));
    const prefix = randomPrefix();
    const keys = ['a', 'b', 'c'].flatMap((tag) => Array.from({ length: 10 }, (_, i) => `{${prefix}${tag}}:${i}`));
    await Promise.all(keys.map((key) => redis.send('SET', [key, key, 'PX', 60_000])));
    const before = redis.counters.commands;
    const values = await Promise.all(keys.map((key) => redis.get(key)));
    expect(values.map(String)).toEqual(keys);
    expect(redis.counters.commands - before).toBe(3);
    expect(redis.counters.readsBatched).toBe(30);
  });
});

describe('writes of one tick', () => {
  it('leave in a few pieces', async () => {
    const redis = await openRedis(sharedRedis('standalone'));
    const { stream } = redis.client as Redis;
    let calls = 0;
    for (const method of ['_write', '_writev'] as const) {
      const write = stream[method]?.bind(stream) as (...args: unknown[]) => void;
      stream[method] = (...args: unknown[]): void => {
        calls += 1;
        write(...args);
      };
    }
    await Promise.all(Array.from({ length: 64 }, () => redis.send('PING', [])));
    expect(calls).toBeLessThanOrEqual(9);
  });
});

import { describe, expect, it } from '@jest/globals';
import { RedisUnavailableError } from '../../../src/core/errors/redis.errors.js';
import { eventually, startRedis, startTcpProxy } from '../../../src/testing/index.js';
import { closeAfterEach, openRedis } from '../../integration/redis/open-redis.js';
import { expectNoLeakedConnections } from '../../support/redis.js';
import { atOnce, settled, type Outcome } from './outcome.js';

expectNoLeakedConnections();
closeAfterEach();

const mayHaveRun = ({ error }: Outcome): boolean => (error as RedisUnavailableError).mayHaveRun;

describe('a server that is killed and started again', () => {
  it('is missed at once and found within two seconds of its return', async () => {
    await using server = await startRedis();
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    const redis = await openRedis(server.connectionOptions);
    await node.kill();
    await eventually(() =>
      expect(redis.health.status).toMatchObject({ state: 'down', reason: 'connect ECONNREFUSED' }),
    );
    const refused = await atOnce(redis.send('PING', []));
    expect(refused.error).toMatchObject({ reason: 'not-connected', mayHaveRun: false });
    await node.start();
    await redis.health.untilUp({ within: '2s' });
    expect(String(await redis.send('PING', []))).toBe('PONG');
    expect(redis.counters.connects).toBe(2);
  });
});

describe('a connection that breaks under commands', () => {
  it('leaves none of them unsettled, and runs none of them twice', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server.nodes[0]!);
    const redis = await openRedis({ url: `redis://127.0.0.1:${proxy.port}`, deadline: '3s' });
    let certain = 0;
    let uncertain = 0;
    for (let round = 0; round < 10; round++) {
      await redis.health.untilUp();
      proxy.delay(round % 2 === 0 ? '3ms' : '0ms');
      const commands: Promise<unknown>[] = [];
      for (let i = 0; i < 100; i++) {
        commands.push(redis.send('INCR', ['count']));
        if (i % 10 === 9) await new Promise(setImmediate);
        if (i === 60) proxy.cut();
      }
      const results = await settled(commands);
      certain += results.filter(({ error }) => error === undefined).length;
      uncertain += results.filter((result) => result.error !== undefined && mayHaveRun(result)).length;
      for (const { error } of results) if (error !== undefined) expect(error).toBeInstanceOf(RedisUnavailableError);
    }
    const count = Number(await server.nodes[0]?.command('GET', 'count'));
    expect(uncertain).toBeGreaterThan(0);
    expect(count).toBeGreaterThanOrEqual(certain);
    expect(count).toBeLessThanOrEqual(certain + uncertain);
  });

  it('says of commands that were under way that they may have run, and of those after that they have not', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server.nodes[0]!);
    const redis = await openRedis({ url: `redis://127.0.0.1:${proxy.port}`, deadline: '3s' });
    proxy.freeze();
    const under = settled([redis.send('INCR', ['count']), redis.get('count')]);
    await proxy.refuse();
    for (const { error } of await under) expect(error).toMatchObject({ reason: 'connection-lost', mayHaveRun: true });
    await expect(redis.send('INCR', ['count'])).rejects.toMatchObject({ reason: 'not-connected', mayHaveRun: false });
    await proxy.heal();
    await redis.health.untilUp();
    expect(await redis.send('INCR', ['count'])).toBe(1);
  });

  it('refuses a command for a socket that is just closing, as one that was never sent', async () => {
    await using server = await startRedis();
    const redis = await openRedis(server.connectionOptions);
    const { stream } = redis.client as { readonly stream: { destroy(): void } };
    stream.destroy();
    await expect(redis.send('INCR', ['count'])).rejects.toMatchObject({ reason: 'not-connected', mayHaveRun: false });
  });
});

import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { eventually, startRedis } from '../../../src/testing/index.js';
import { expectNoLeakedConnections } from '../../support/redis.js';
import { closeAfterEach, openModule, openRedis } from './open-redis.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';

expectNoLeakedConnections();
closeAfterEach();
afterEach(() => void jest.restoreAllMocks());

const PASSWORD = 'p@ss/w:ord#1';

describe.each(['standalone', 'sentinel', 'cluster'] as const)('%s behind TLS, for an ACL user', (topology) => {
  it('can be used in every role', async () => {
    await using server = await startRedis({ topology, tls: true, username: 'app', password: PASSWORD });
    const redis = await openRedis({ ...server.connectionOptions, connectWithin: '10s' });
    expect(redis.health.status.state).toBe('up');
    expect(String(await redis.send('SET', ['key', 'value']))).toBe('OK');
    expect(String(await redis.get('key'))).toBe('value');

    let seen = 0;
    await redis.subscriber.subscribe('news', () => void (seen += 1));
    await redis.send('PUBLISH', ['news', 'x']);
    await eventually(() => expect(seen).toBe(1));

    const blocking = redis.blocking('list');
    await redis.send('RPUSH', ['list', 'item']);
    expect(await blocking.run('BLPOP', ['list', 1], 1_000)).toEqual([Buffer.from('list'), Buffer.from('item')]);
  });
});

describe('a wrong password', () => {
  it('stops neither the boot nor the process, and is named as the reason without being told', async () => {
    const output: string[] = [];
    for (const method of ['log', 'warn', 'error'] as const) {
      jest.spyOn(console, method).mockImplementation((...words) => void output.push(words.join(' ')));
      jest
        .spyOn(Logger.prototype, method)
        .mockImplementation((...words: unknown[]) => void output.push(words.join(' ')));
    }
    await using server = await startRedis({ password: PASSWORD });
    const [, port] = /:(\d+)$/.exec(server.url) as unknown as [string, string];
    const module = await openModule({
      url: `redis://:hunter2-secret@127.0.0.1:${port}`,
      connectWithin: '300ms',
      connections: { nobody: { url: `redis://127.0.0.1:${port}`, connectWithin: '300ms' } },
    });
    const connections = module.get(RedisConnections, { strict: false });
    expect(connections.get().health.status).toMatchObject({ state: 'down', reason: 'WRONGPASS' });
    expect(connections.get('nobody').health.status).toMatchObject({ state: 'down', reason: 'NOAUTH' });
    await expect(connections.get().send('PING', [])).rejects.toMatchObject({
      reason: 'not-connected',
      mayHaveRun: false,
    });
    expect(output.join('\n')).not.toContain('secret');
  });
});

describe('a URL', () => {
  it('brings the credentials, escaped, and the database', async () => {
    await using server = await startRedis({ username: 'app', password: PASSWORD });
    const redis = await openRedis({ url: `${server.url}/3` });
    await redis.send('SET', ['key', 'in 3']);
    expect(String(await server.nodes[0]?.command('INFO', 'keyspace'))).toContain('db3:keys=1');
    expect(server.url).toContain(encodeURIComponent(PASSWORD));
  });
});

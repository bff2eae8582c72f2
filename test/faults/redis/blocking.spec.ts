import { describe, expect, it } from '@jest/globals';
import { eventually, startRedis, startTcpProxy } from '../../../src/testing/index.js';
import { closeAfterEach, openRedis } from '../../integration/redis/open-redis.js';
import { expectNoLeakedConnections } from '../../support/redis.js';
import { timed } from './outcome.js';

expectNoLeakedConnections();
closeAfterEach();

describe('a blocking connection', () => {
  it('that hangs is replaced a second after the command should have come back', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server.nodes[0]!);
    const redis = await openRedis({ url: `redis://127.0.0.1:${proxy.port}` });
    const blocking = redis.blocking('list');
    expect(await blocking.run('BLPOP', ['list', 0.01], 2_000)).toBeNull();
    const before = proxy.connections;
    proxy.freeze();
    const hung = await timed(blocking.run('BLPOP', ['list', 0.05], 50));
    expect(hung.error).toMatchObject({ reason: 'deadline', mayHaveRun: true });
    expect(hung.tookMs).toBeGreaterThanOrEqual(1_049);
    expect(hung.ownMs).toBeLessThan(5_000);
    // The frozen proxy holds on to the old connection, so that the new one is one more.
    await eventually(() => expect(proxy.connections).toBeGreaterThan(before));
    await proxy.heal();
    await eventually(() => blocking.run('BLPOP', ['list', 0.01], 2_000));
  });

  it('that is lost rejects at once, and the next command waits for the next connection', async () => {
    await using server = await startRedis();
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    const redis = await openRedis(server.connectionOptions);
    const blocking = redis.blocking('list');
    expect(await blocking.run('BLPOP', ['list', 0.01], 2_000)).toBeNull();
    const lost = blocking.run('BLPOP', ['list', 2], 2_000);
    await eventually(async () => expect(String(await node.command('INFO', 'clients'))).toContain('blocked_clients:1'));
    await node.kill();
    await expect(lost).rejects.toMatchObject({ reason: 'connection-lost', mayHaveRun: true });
    const away = await timed(blocking.run('BLPOP', ['list', 0.1], 100));
    expect(away.error).toMatchObject({ reason: 'not-connected', mayHaveRun: false });
    expect(away.ownMs).toBeLessThan(1_000);
    await node.start();
    await node.command('RPUSH', 'list', 'item');
    expect(await blocking.run('BLPOP', ['list', 2], 2_000)).toEqual([Buffer.from('list'), Buffer.from('item')]);
  });

  it('goes elsewhere when its server has become a replica', async () => {
    await using server = await startRedis();
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    const redis = await openRedis(server.connectionOptions);
    const blocking = redis.blocking('list');
    expect(await blocking.run('BLPOP', ['list', 0.01], 2_000)).toBeNull();
    const blocked = blocking.run('BLPOP', ['list', 2], 2_000);
    await eventually(async () => expect(String(await node.command('INFO', 'clients'))).toContain('blocked_clients:1'));
    await node.command('REPLICAOF', '127.0.0.1', '1');
    await expect(blocked).rejects.toMatchObject({ reason: 'server-not-ready', mayHaveRun: false });
    await expect(blocking.run('BLPOP', ['list', 1], 1_000)).rejects.toMatchObject({
      reason: 'server-not-ready',
      mayHaveRun: false,
    });
    await node.command('REPLICAOF', 'NO', 'ONE');
    await node.command('RPUSH', 'list', 'item');
    expect(await blocking.run('BLPOP', ['list', 2], 2_000)).toEqual([Buffer.from('list'), Buffer.from('item')]);
  });
});

import { Redis } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import { eventually, startRedis } from '../../../src/testing/index.js';
import { closeAfterEach, openRedis } from '../../integration/redis/open-redis.js';
import { expectNoLeakedConnections } from '../../support/redis.js';

expectNoLeakedConnections();
closeAfterEach();

/** A server that answers, and says that it cannot: unavailable for what it refuses, with no effect, and no reason to go away. */
describe('a server that refuses', () => {
  it.each([
    ['READONLY', [['REPLICAOF', '127.0.0.1', '1']], ['REPLICAOF', 'NO', 'ONE'], 'writes-refused'],
    ['OOM', [['CONFIG', 'SET', 'maxmemory', '1']], ['CONFIG', 'SET', 'maxmemory', '0'], 'writes-refused'],
    [
      'NOREPLICAS',
      [['CONFIG', 'SET', 'min-replicas-to-write', '1']],
      ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
      'writes-refused',
    ],
    [
      'MASTERDOWN',
      [
        ['CONFIG', 'SET', 'replica-read-only', 'no', 'replica-serve-stale-data', 'no'],
        ['REPLICAOF', '127.0.0.1', '1'],
      ],
      ['REPLICAOF', 'NO', 'ONE'],
      'server-not-ready',
    ],
  ] as const)('with %s is unavailable for writes until it accepts them again', async (_, causes, remedy, reason) => {
    await using server = await startRedis();
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    const redis = await openRedis(server.connectionOptions);
    for (const [command, ...args] of causes) await node.command(command, ...args);
    const attempts = [
      redis.send('SET', ['key', 'value']),
      redis.send('EVAL', ["return redis.call('SET', KEYS[1], 1)", 1, 'key']),
    ];
    for (const attempt of attempts) {
      await expect(attempt).rejects.toMatchObject({ code: 'ROOKERY_REDIS_UNAVAILABLE', reason, mayHaveRun: false });
    }
    expect(redis.health.isUp).toBe(true);
    const [command, ...args] = remedy;
    await node.command(command, ...args);
    expect(String(await redis.send('SET', ['key', 'value']))).toBe('OK');
    expect(redis.counters).toMatchObject({ connects: 1, circuitOpened: 0 });
  });

  it('while it loads its data is unavailable, and found when it has', async () => {
    await using server = await startRedis({
      args: { 'enable-debug-command': 'local', 'loading-process-events-interval-bytes': 1024 },
    });
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    await node.command('DEBUG', 'POPULATE', '600', 'key', '100');
    await node.command('CONFIG', 'SET', 'key-load-delay', '1000');
    const redis = await openRedis({ ...server.connectionOptions, deadline: '5s' });
    const reload = node.command('DEBUG', 'RELOAD').catch(() => undefined);
    await eventually(
      () =>
        expect(redis.send('SET', ['x', '1'])).rejects.toMatchObject({ reason: 'server-not-ready', mayHaveRun: false }),
      { every: '5ms' },
    );
    await reload;
    await eventually(() => redis.send('SET', ['x', '1']));
  });

  it('while a script blocks it is unavailable at once, and used again after', async () => {
    await using server = await startRedis({ args: { 'busy-reply-threshold': 20 } });
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    const redis = await openRedis({ ...server.connectionOptions, deadline: '500ms' });
    const script = node.command('EVAL', 'while true do end', 0).catch(() => undefined);
    await eventually(() =>
      expect(redis.send('SET', ['key', 'x'])).rejects.toMatchObject({ reason: 'server-not-ready', mayHaveRun: false }),
    );
    await node.command('SCRIPT', 'KILL');
    await script;
    await eventually(() => redis.send('SET', ['key', 'x']));
    expect(redis.counters.connects).toBe(1);
  });

  it('that asks for a password since a moment ago is away, says so, and is found when that has passed', async () => {
    await using server = await startRedis();
    const redis = await openRedis(server.connectionOptions);
    // The node's own commands would be asked for the password too.
    const admin = new Redis(server.url);
    try {
      await admin.config('SET', 'requirepass', 'secret');
      await admin.call('CLIENT', 'KILL', 'SKIPME', 'yes');
      await eventually(() => expect(redis.health.status).toMatchObject({ state: 'down', reason: 'NOAUTH' }));
      await expect(redis.send('PING', [])).rejects.toMatchObject({ reason: 'not-connected', mayHaveRun: false });
      await admin.config('SET', 'requirepass', '');
    } finally {
      admin.disconnect();
    }
    await redis.health.untilUp({ within: '2s' });
    expect(String(await redis.send('PING', []))).toBe('PONG');
  });

  it('that answers a PING with an error is still one that answers', async () => {
    await using server = await startRedis();
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    await node.command('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', '-ping');
    const redis = await openRedis({
      ...server.connectionOptions,
      username: 'app',
      password: 'secret',
      deadline: '100ms',
    } as never);
    await node.pause();
    await expect(redis.send('SET', ['key', 'x'])).rejects.toMatchObject({ reason: 'deadline' });
    await node.resume();
    await redis.health.untilUp({ within: '2s' });
    expect(String(await redis.get('key'))).toBe('x');
  });
});

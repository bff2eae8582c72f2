import type { Redis } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import type { RedisUnavailableError } from '../../../src/core/errors/redis.errors.js';
import { eventually, startRedis, startTcpProxy } from '../../../src/testing/index.js';
import { closeAfterEach, openRedis } from '../../integration/redis/open-redis.js';
import { expectNoLeakedConnections } from '../../support/redis.js';
import { atOnce, settled, timed } from './outcome.js';

expectNoLeakedConnections();
closeAfterEach();

describe('a frozen server', () => {
  it.each([
    ['', {}],
    [' over TLS', { tls: true }],
  ])('costs one deadline%s, then nothing, and is used again as soon as it wakes', async (_, options) => {
    await using server = await startRedis(options);
    const redis = await openRedis({ ...server.connectionOptions, deadline: '200ms' });
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    await node.pause();

    const first = await timed(redis.send('PING', []));
    expect(first.error).toMatchObject({ reason: 'deadline', mayHaveRun: true });
    expect(first.tookMs).toBeGreaterThanOrEqual(199);
    const next = await atOnce(Promise.all([redis.send('PING', []), redis.get('key')]));
    expect(next.error).toMatchObject({ reason: 'circuit-open', mayHaveRun: false });
    expect(redis.health.status).toMatchObject({ state: 'down', reason: 'the server is silent' });

    await node.resume();
    const back = await timed(redis.health.untilUp({ within: '5s' }));
    expect(back.error).toBeUndefined();
    expect(String(await redis.send('PING', []))).toBe('PONG');
    expect(redis.counters).toMatchObject({ circuitOpened: 1, deadlinesMissed: 1, connects: 1 });
  });

  it('finds nothing piled up when it wakes: what it then does is what had been sent, once', async () => {
    await using server = await startRedis();
    const redis = await openRedis({
      ...server.connectionOptions,
      deadline: '100ms',
      breaker: { probeInterval: '10ms' },
    });
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    await node.pause();
    const results = [];
    for (let round = 0; round < 20; round++) {
      results.push(...(await settled(Array.from({ length: 50 }, () => redis.send('INCR', ['count'])))));
    }
    const mayHaveRun = results.filter(({ error }) => (error as RedisUnavailableError).mayHaveRun).length;
    expect(mayHaveRun).toBe(50);
    expect(redis.counters.refused).toBe(950);
    // Long enough for many probes, if they did not wait for each other.
    await eventually(() => expect(redis.health.status.sinceMs).toBeGreaterThan(300));
    await node.resume();
    await redis.health.untilUp({ within: '5s' });
    expect(await redis.send('INCR', ['count'])).toBe(mayHaveRun + 1);
    const stats = String(await node.command('INFO', 'commandstats'));
    expect(stats).toContain(`cmdstat_incr:calls=${mayHaveRun + 1},`);
    expect(Number(/cmdstat_ping:calls=(\d+)/.exec(stats)?.[1])).toBeLessThan(5);
  });

  it('is given the time that a patient command has, whatever a hasty one found', async () => {
    await using server = await startRedis();
    const redis = await openRedis({ ...server.connectionOptions, deadline: '5s' });
    const [node] = server.nodes as [(typeof server.nodes)[0]];
    await node.pause();
    await expect(redis.get('key', { deadlineMs: 30 })).rejects.toMatchObject({ reason: 'deadline' });
    await expect(redis.get('key', { deadlineMs: 30 })).rejects.toMatchObject({ reason: 'circuit-open' });
    expect(redis.health.isUp).toBe(true);
    const patient = redis.send('INCR', ['count']);
    await node.resume();
    expect(await patient).toBe(1);
    await eventually(() => redis.get('key', { deadlineMs: 1_000 }));
  });

  it('shows in health even when only hasty commands ask', async () => {
    await using server = await startRedis();
    const redis = await openRedis({ ...server.connectionOptions, deadline: '300ms' });
    await server.nodes[0]?.pause();
    await expect(redis.get('key', { deadlineMs: 30 })).rejects.toMatchObject({ reason: 'deadline' });
    await eventually(() =>
      expect(redis.health.status).toMatchObject({ state: 'down', reason: 'the server is silent' }),
    );
    await expect(redis.send('PING', [])).rejects.toMatchObject({ reason: 'circuit-open' });
  });
});

describe('a slow server', () => {
  it('is left alone after slowLimit deadlines, and used again when it is quick', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server.nodes[0]!);
    const redis = await openRedis({
      url: `redis://127.0.0.1:${proxy.port}`,
      deadline: '150ms',
      breaker: { slowLimit: 5, probeInterval: '50ms' },
    });
    proxy.delay('300ms');
    // Other replies keep arriving all the while: the server is slow, not silent.
    const chatter = setInterval(() => void (redis.client as Redis).ping().catch(() => undefined), 2);
    try {
      await (redis.client as Redis).ping();
      // One after the other: the late reply to the first arrives before the last is given up, and proves nothing.
      for (let i = 0; i < 5; i++) await expect(redis.send('PING', [])).rejects.toMatchObject({ reason: 'deadline' });
      await expect(redis.send('PING', [])).rejects.toMatchObject({ reason: 'circuit-open' });
      expect(redis.health.status).toMatchObject({ state: 'down', reason: 'the server is too slow' });
      expect(redis.counters.circuitOpened).toBe(1);
    } finally {
      clearInterval(chatter);
    }
    await proxy.heal();
    await eventually(async () => expect(String(await redis.send('PING', []))).toBe('PONG'));
    expect(redis.health.isUp).toBe(true);
  });

  it('is kept in use while fewer than slowLimit deadlines pass in a row', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server.nodes[0]!);
    const redis = await openRedis({ url: `redis://127.0.0.1:${proxy.port}`, breaker: { slowLimit: 5 } });
    proxy.delay('100ms');
    const chatter = setInterval(() => void (redis.client as Redis).ping().catch(() => undefined), 2);
    try {
      await (redis.client as Redis).ping();
      const hasty = settled(Array.from({ length: 4 }, () => redis.send('PING', [], { deadlineMs: 50 })));
      expect((await hasty).every(({ error }) => (error as RedisUnavailableError).reason === 'deadline')).toBe(true);
      expect(String(await redis.send('PING', [], { deadlineMs: 3_000 }))).toBe('PONG');
      await expect(redis.send('PING', [], { deadlineMs: 50 })).rejects.toMatchObject({ reason: 'deadline' });
    } finally {
      clearInterval(chatter);
    }
  });
});

describe('a connection that is dead without having been closed', () => {
  it('is replaced after hangLimit', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server.nodes[0]!);
    const redis = await openRedis({
      url: `redis://127.0.0.1:${proxy.port}`,
      deadline: '100ms',
      breaker: { hangLimit: '400ms', probeInterval: '50ms' },
    });
    const client = redis.client as Redis;
    const { stream } = client;
    proxy.freeze();
    const started = performance.now();
    await expect(redis.send('PING', [])).rejects.toMatchObject({ reason: 'deadline' });
    await eventually(() => expect(stream.destroyed).toBe(true));
    expect(performance.now() - started).toBeGreaterThan(400);
    await eventually(() => expect(client.stream).not.toBe(stream));
    // The next one meets the same frozen network in its handshake, and is given up in turn.
    const { stream: second } = client;
    await eventually(() => expect(second.destroyed).toBe(true));
    await proxy.heal();
    await redis.health.untilUp({ within: '5s' });
    expect(String(await redis.send('PING', []))).toBe('PONG');
  });
});

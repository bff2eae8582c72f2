import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { LockService, type LockHandle } from '../../../src/lock/index.js';
import {
  eventually,
  startRedis,
  startTcpProxy,
  type RedisNode,
  type RedisServer,
  type TcpProxy,
} from '../../../src/testing/index.js';
import { lockApp } from '../../support/lock-app.js';
import { aborted, revive, taken, untilUp } from '../../support/lock-faults.js';
import { OwnTime } from '../../support/own-time.js';
import { expectNoLeakedConnections, randomPrefix } from '../../support/redis.js';
import { timed } from '../redis/outcome.js';

/** The replica is waited for so long at most; the deadline is longer. */
const WAIT_MS = 1_000;
const DEADLINE_MS = 3_000;
const SLACK_MS = 500;
const NOT_REPLICATED = { code: 'ROOKERY_REDIS_UNAVAILABLE', reason: 'writes-refused', mayHaveRun: true };
const LOCK = { replicas: 1, redisDeadline: `${DEADLINE_MS}ms`, wait: '30s' } as const;

let used = 0;
const newName = (): string => `lock-${(used += 1)}`;

describe('a primary with a replica', () => {
  const prefix = randomPrefix();
  let primary: RedisServer;
  let replica: RedisServer;
  let nodes: readonly [primary: RedisNode, replica: RedisNode];
  /** Between the two of them. */
  let line: TcpProxy;
  let one: TestingModule;
  let other: TestingModule;
  /** Applications that do not wait for replicas. */
  let plain: TestingModule;
  let atReplica: TestingModule;
  let locks: LockService;
  let elsewhere: LockService;

  /** Ends every fault; what was started again is the replica again. */
  const heal = async (): Promise<void> => {
    await line.heal();
    await revive(nodes);
    await nodes[1].command('REPLICAOF', line.host, line.port);
    await eventually(
      async () => {
        const info = String(await nodes[1].command('INFO', 'replication'));
        expect(info).toMatch(/^master_link_status:up/m);
      },
      { within: '30s' },
    );
  };

  beforeAll(async () => {
    const args = { 'repl-diskless-sync-delay': '0', 'repl-timeout': '3600' };
    [primary, replica] = await Promise.all([startRedis({ args }), startRedis({ args })]);
    nodes = [primary.nodes[0] as RedisNode, replica.nodes[0] as RedisNode];
    line = await startTcpProxy(nodes[0]);
    await heal();
    one = await lockApp({ redis: { url: primary.url }, prefix, lock: LOCK });
    other = await lockApp({ redis: { url: primary.url }, prefix, lock: LOCK });
    plain = await lockApp({ redis: { url: primary.url }, prefix });
    atReplica = await lockApp({ redis: { url: replica.url }, prefix });
    locks = one.get(LockService);
    elsewhere = other.get(LockService);
  });
  afterEach(async () => {
    await heal();
    await untilUp([one, other, plain, atReplica]);
  });
  afterAll(async () => {
    await Promise.all([one, other, plain, atReplica].map((app) => app.close()));
    await line.stop();
    await Promise.all([primary.stop(), replica.stop()]);
  });

  const free = (name: string): Promise<void> =>
    eventually(async () => expect((await plain.get(LockService).inspect(name)).state).toBe('free'));

  it('has a grant on both when it counts, however long the line between them', async () => {
    line.delay('60ms');
    for (let round = 0; round < 3; round++) {
      const name = newName();
      const lock = await (round === 0 ? locks.acquire(name) : taken(await locks.tryAcquire(name)));
      expect(await atReplica.get(LockService).inspect(name)).toMatchObject({ state: 'held', fence: lock.fence });
      expect(await lock.release()).toBe(true);
    }
  });

  it('has a longer lease on both when it counts', async () => {
    const name = newName();
    const lock = await locks.acquire(name, { ttl: '10s' });
    line.delay('60ms');
    expect(await lock.extend('1m')).toBe(true);
    const [holder] = (await atReplica.get(LockService).inspect(name)).holders;
    expect(holder?.leaseMs).toBeGreaterThan(30_000);
    expect(await lock.release()).toBe(true);
  });

  it('hands over from one to the next, with fences that rise', async () => {
    const name = newName();
    const fences: number[] = [];
    let inside = 0;
    const work = async ({ fence }: LockHandle): Promise<void> => {
      expect((inside += 1)).toBe(1);
      fences.push(fence);
      await new Promise((resolve) => setTimeout(resolve, 2));
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? locks : elsewhere).using(name, work)));
    expect(fences).toHaveLength(10);
    expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b));
  });

  it('lets many at a time share what they wait for', async () => {
    line.delay('60ms');
    await nodes[0].command('CONFIG', 'RESETSTAT');
    const held = await Promise.all(Array.from({ length: 50 }, () => locks.acquire(newName())));
    const stats = String(await nodes[0].command('INFO', 'commandstats'));
    expect(Number(/cmdstat_wait:calls=(\d+)/.exec(stats)?.[1])).toBeLessThanOrEqual(3);
    await Promise.all(held.map((lock) => lock.release()));
  });

  it.each([
    ['is frozen', () => nodes[1].pause()],
    ['is dead', () => nodes[1].kill()],
    ['is cut off', async () => line.freeze()],
  ])('grants nothing while the replica %s, says so in time, and nothing stays held', async (_, fail) => {
    await (await locks.acquire(newName())).release();
    const { acquired } = locks.counters;
    await fail();
    const names = [newName(), newName(), newName()] as const;
    let hasRun = false;
    const attempts = [
      locks.acquire(names[0]),
      locks.tryAcquire(names[1]),
      locks.using(names[2], () => void (hasRun = true)),
    ];
    for (const { error, ownMs } of await Promise.all(attempts.map(timed))) {
      expect(error).toMatchObject(NOT_REPLICATED);
      // They may have come while another waited.
      expect(ownMs).toBeLessThan(2 * WAIT_MS + SLACK_MS);
    }
    expect(hasRun).toBe(false);
    expect(locks.counters.acquired).toBe(acquired);
    for (const name of names) await free(name);
    await heal();
    const lock = await eventually(() => elsewhere.acquire(names[0]), { within: '20s' });
    expect(await lock.release()).toBe(true);
  });

  it('rejects in time when its own deadline is shorter than the wait, and nothing stays held', async () => {
    const hasty = await lockApp({ redis: { url: primary.url }, prefix, lock: { ...LOCK, redisDeadline: '300ms' } });
    try {
      const hastily = hasty.get(LockService);
      await (await eventually(() => hastily.acquire(newName()))).release();
      await nodes[1].pause();
      const names = [newName(), newName()] as const;
      const attempts = await Promise.all(names.map((name) => timed(hastily.acquire(name))));
      for (const { error, ownMs } of attempts) {
        expect(error).toMatchObject({ code: 'ROOKERY_REDIS_UNAVAILABLE', mayHaveRun: true });
        expect(ownMs).toBeLessThan(300 + SLACK_MS);
      }
      for (const name of names) await free(name);
    } finally {
      await hasty.close();
    }
  });

  it('does not count a longer lease that the replica has not got, and tells the holder in time', async () => {
    const name = newName();
    const lock = await locks.acquire(name, { ttl: '3s' });
    using time = new OwnTime();
    await nodes[1].pause();
    await expect(lock.extend('10s')).rejects.toMatchObject(NOT_REPLICATED);
    expect(lock.validForMs).toBeLessThan(3_000);
    expect(await aborted(lock.signal)).toMatchObject({ code: 'ROOKERY_LOCK_LOST', reason: 'lease-ended' });
    expect(time.ms).toBeLessThan(3_000);
    // What the primary believes is not waited for.
    await free(name);
  });

  it('gives back without the replica', async () => {
    const name = newName();
    const lock = await locks.acquire(name);
    await nodes[1].pause();
    const released = await timed(lock.release());
    expect(released.value).toBe(true);
    expect(released.ownMs).toBeLessThan(SLACK_MS);
    await free(name);
  });
});

describe('a primary behind Sentinels', () => {
  it('keeps a lock through a failover, with a fence that rises', async () => {
    await using server = await startRedis({ topology: 'sentinel', replicas: 2, downAfter: '300ms' });
    const prefix = randomPrefix();
    const redis = { ...server.connectionOptions, connectWithin: '10s' } as const;
    const apps = await Promise.all([1, 2].map(() => lockApp({ redis, prefix, lock: LOCK })));
    try {
      const [locks, elsewhere] = apps.map((app) => app.get(LockService)) as [LockService, LockService];
      const name = newName();
      const lock = await locks.acquire(name, { ttl: '60s' });
      const waiting = timed(elsewhere.acquire(name, { wait: '60s' }));
      await eventually(() => expect(elsewhere.counters.waited).toBe(1));
      await server.masters[0]?.kill();
      // The other replica has to follow the new primary first.
      await eventually(async () => expect(await lock.extend()).toBe(true), { within: '30s' });
      expect(lock.isHeld).toBe(true);
      const attempt = await eventually(() => elsewhere.tryAcquire(name), { within: '20s' });
      expect(attempt.acquired).toBe(false);
      expect(await lock.release()).toBe(true);
      const { value, error } = await waiting;
      // Whoever asked while nobody answered was told so.
      if (error !== undefined) expect(error).toMatchObject({ code: 'ROOKERY_REDIS_UNAVAILABLE' });
      const next = error === undefined ? (value as LockHandle) : await elsewhere.acquire(name);
      expect(next.fence).toBeGreaterThan(lock.fence);
      expect(await next.release()).toBe(true);
    } finally {
      await Promise.all(apps.map((app) => app.close()));
    }
  });
});

expectNoLeakedConnections();

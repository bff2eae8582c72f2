import { randomInt } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { KeySpace } from '../../../src/core/index.js';
import { LockService, type LockHandle, type LockRefusal } from '../../../src/lock/index.js';
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
import { seededRandom } from '../../support/seeded-random.js';
import { timed } from '../redis/outcome.js';

const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
/** Long, since the machine may be busy. */
const NODE_DEADLINE_MS = 1_000;
/** What this process needs beside, at most. */
const SLACK_MS = 500;
const UNAVAILABLE = { code: 'ROOKERY_REDIS_UNAVAILABLE' };
const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;

const prefix = randomPrefix();
let servers: readonly RedisServer[];
let nodes: readonly RedisNode[];
/** An application for each server that sees it alone. */
let alone: readonly TestingModule[];
let used = 0;
const newName = (): string => `lock-${(used += 1)}`;

beforeAll(async () => {
  servers = await Promise.all(NAMES.map(() => startRedis()));
  nodes = servers.map(({ nodes: [node] }) => node as RedisNode);
  alone = await Promise.all(servers.map(({ url }) => lockApp({ redis: { url }, prefix })));
});
afterAll(async () => {
  await Promise.all(alone.map((app) => app.close()));
  await Promise.all(servers.map((server) => server.stop()));
});

/** An application whose locks are in a quorum of the servers at these addresses. */
function quorumApp(urls: readonly string[]): Promise<TestingModule> {
  const connections = Object.fromEntries(urls.map((url, i) => [NAMES[i], { url, keyPrefix: prefix }]));
  const quorum = { connections: Object.keys(connections), nodeDeadline: `${NODE_DEADLINE_MS}ms` } as const;
  return lockApp({ redis: { url: urls[0] as string, connections }, prefix, lock: { quorum, wait: '30s' } });
}

/** Where the lock is held. */
async function holdersOf(name: string): Promise<readonly string[]> {
  const states = await Promise.all(
    alone.map(async (app, i) => {
      if (nodes[i]?.running !== true) return 'dead';
      return (await app.get(LockService).inspect(name)).state;
    }),
  );
  return states;
}

describe.each([
  [3, 1],
  [5, 2],
])('a quorum of %i servers', (count, minority) => {
  let one: TestingModule;
  let other: TestingModule;
  let locks: LockService;
  let elsewhere: LockService;

  beforeAll(async () => {
    const urls = servers.slice(0, count).map(({ url }) => url);
    one = await quorumApp(urls);
    other = await quorumApp(urls);
    locks = one.get(LockService);
    elsewhere = other.get(LockService);
  });
  afterEach(async () => {
    await revive(nodes);
    await untilUp([one, other], ...NAMES.slice(0, count));
    await untilUp(alone);
  });
  afterAll(async () => {
    await one.close();
    await other.close();
  });

  const kill = (from: number, to: number): Promise<unknown> =>
    Promise.all(nodes.slice(from, to).map((node) => node.kill()));
  const freeze = (from: number, to: number): Promise<unknown> =>
    Promise.all(nodes.slice(from, to).map((node) => node.pause()));

  it('lets one in at a time, of two applications, with fences that rise', async () => {
    const name = newName();
    const lock = await locks.acquire(name);
    expect((await elsewhere.tryAcquire(name)).acquired).toBe(false);
    expect(await lock.release()).toBe(true);
    let inside = 0;
    let most = 0;
    const fences: number[] = [lock.fence];
    const work = async ({ fence }: LockHandle): Promise<void> => {
      fences.push(fence);
      most = Math.max(most, (inside += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
    };
    await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        for (let round = 0; round < 2; round++) await (i % 2 === 0 ? locks : elsewhere).using(name, work);
      }),
    );
    expect(most).toBe(1);
    expect(fences).toHaveLength(17);
    expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b));
  });

  it.each([
    ['dead', kill],
    ['frozen', freeze],
  ])('grants and gives back with a minority %s, as soon as without', async (_, fail) => {
    const name = newName();
    await fail(0, minority);
    using time = new OwnTime();
    const lock = await locks.acquire(name);
    expect(lock.validForMs).toBeGreaterThan(20_000);
    expect(await lock.extend()).toBe(true);
    expect(await lock.release()).toBe(true);
    const next = await elsewhere.acquire(name);
    expect(next.fence).toBeGreaterThan(lock.fence);
    expect(time.ms).toBeLessThan(NODE_DEADLINE_MS);
    // Here all have to be waited for, once; then it is known who does not answer.
    expect((await locks.tryAcquire(name)).acquired).toBe(false);
    expect(await next.release()).toBe(true);
  });

  it.each([
    ['dead', kill],
    ['frozen', freeze],
  ])('grants nothing with a majority %s, says so in time, and leaves nothing behind', async (_, fail) => {
    const name = newName();
    const { acquired } = locks.counters;
    await fail(0, minority + 1);
    let hasRun = false;
    for (const attempt of [
      () => locks.acquire(name),
      () => locks.tryAcquire(name),
      () => locks.using(name, () => void (hasRun = true)),
    ]) {
      const { error, ownMs } = await timed(attempt());
      expect(error).toMatchObject(UNAVAILABLE);
      expect(ownMs).toBeLessThan(NODE_DEADLINE_MS + SLACK_MS);
    }
    expect(hasRun).toBe(false);
    expect(locks.counters.acquired).toBe(acquired);
    const living = alone.slice(minority + 1, count).map((app) => app.get(LockService));
    await eventually(async () => {
      for (const server of living) expect((await server.inspect(name)).state).toBe('free');
    });
    // Nor does what the frozen ones do when they go on keep others from it.
    await revive(nodes);
    await untilUp([other], ...NAMES.slice(0, count));
    using time = new OwnTime();
    const lock = await elsewhere.acquire(name);
    expect(time.ms).toBeLessThan(5_000);
    expect(await lock.release()).toBe(true);
  });

  it('gives back what a minority granted when the others have refused', async () => {
    const name = newName();
    // Somebody has it on just enough servers that there is no majority for anybody else.
    const held = await Promise.all(
      alone.slice(0, minority + 1).map(async (app) => taken(await app.get(LockService).tryAcquire(name))),
    );
    expect((await locks.tryAcquire(name)).acquired).toBe(false);
    const expected = NAMES.map((_, i) => (i <= minority ? 'held' : 'free'));
    await eventually(async () => expect(await holdersOf(name)).toEqual(expected));
    const waiting = timed(locks.acquire(name));
    await held[0]?.release();
    const { value, error } = await waiting;
    expect(error).toBeUndefined();
    expect(await (value as LockHandle).release()).toBe(true);
    await Promise.all(held.slice(1).map((lock) => lock.release()));
  });

  it(`has fences that rise whichever majority grants, and though servers come back empty (SEED=${SEED})`, async () => {
    const random = seededRandom(SEED + count);
    const name = newName();
    let last = 0;
    for (let round = 0; round < 4; round++) {
      const order = nodes.slice(0, count).map((node) => ({ node, at: random() }));
      const dead = order.sort((a, b) => a.at - b.at).slice(0, minority);
      await Promise.all(dead.map(({ node }) => node.kill()));
      const lock = await (round % 2 === 0 ? locks : elsewhere).acquire(name);
      expect(lock.fence).toBeGreaterThan(last);
      last = lock.fence;
      expect(await lock.release()).toBe(true);
      await revive(nodes);
      await untilUp([one, other], ...NAMES.slice(0, count));
    }
  });

  it('makes the fence of a server whose clock is fast known to a majority before the lock counts', async () => {
    const name = newName();
    const ahead = (Date.now() + 3_600_000) * 1_000;
    const key = new KeySpace(prefix, 'lock').key(name);
    await nodes[0]?.command('SET', key, `${ahead}0`, 'PX', 4_000_000);
    // The majority that grants is the first servers.
    await kill(minority + 1, count);
    const lock = await locks.acquire(name);
    expect(lock.fence).toBeGreaterThan(ahead);
    expect(await lock.release()).toBe(true);
    await revive(nodes);
    await untilUp([one, other], ...NAMES.slice(0, count));
    // One server is left of it, and not the fast one.
    await kill(0, minority);
    const next = await elsewhere.acquire(name);
    expect(next.fence).toBeGreaterThan(lock.fence);
    expect(await next.release()).toBe(true);
  });

  it('prolongs a lease with a minority dead', async () => {
    const name = newName();
    const lock = await locks.acquire(name, { ttl: '2s' });
    await kill(0, minority);
    const started = performance.now();
    await eventually(
      async () => {
        expect(lock.isHeld).toBe(true);
        expect((await elsewhere.tryAcquire(name)).acquired).toBe(false);
        expect(performance.now() - started).toBeGreaterThan(2_500);
      },
      { within: '10s', every: '200ms' },
    );
    expect(lock.signal.aborted).toBe(false);
    expect(await lock.release()).toBe(true);
  });

  it('tells the holder in time when a majority freezes; then others have it', async () => {
    const name = newName();
    const lock = await locks.acquire(name, { ttl: '2s' });
    using time = new OwnTime();
    await freeze(0, minority + 1);
    expect(await aborted(lock.signal)).toMatchObject({ code: 'ROOKERY_LOCK_LOST', reason: 'lease-ended' });
    // It had been prolonged just before, at most.
    expect(time.ms).toBeLessThan(2_000);
    expect(lock.isHeld).toBe(false);
    expect(await lock.release()).toBe(false);
    await revive(nodes);
    await untilUp([other], ...NAMES.slice(0, count));
    const next = await elsewhere.acquire(name);
    expect(next.fence).toBeGreaterThan(lock.fence);
    expect(await next.release()).toBe(true);
  });

  it('is given back later when it could not be at once', async () => {
    const name = newName();
    const lock = await locks.acquire(name);
    await freeze(0, minority + 1);
    const released = await timed(lock.release());
    expect(released.value).toBe(true);
    expect(released.ownMs).toBeLessThan(NODE_DEADLINE_MS + SLACK_MS);
    await revive(nodes);
    await untilUp([other], ...NAMES.slice(0, count));
    using time = new OwnTime();
    const next = await elsewhere.acquire(name);
    expect(time.ms).toBeLessThan(5_000);
    expect(await next.release()).toBe(true);
  });

  it('leaves nothing on a server that was frozen meanwhile', async () => {
    const name = newName();
    await freeze(0, minority);
    const lock = await locks.acquire(name);
    expect((await elsewhere.tryAcquire(name)).acquired).toBe(false);
    expect(await lock.release()).toBe(true);
    await revive(nodes);
    await untilUp(alone);
    await eventually(async () => expect(await holdersOf(name)).toEqual(NAMES.map(() => 'free')), { within: '15s' });
  });

  it('lets those who wait have it soon after a release, and wakes nobody', async () => {
    const name = newName();
    const lock = await locks.acquire(name);
    const waiting = elsewhere.acquire(name);
    await eventually(() => expect(elsewhere.counters.waited).toBeGreaterThan(0));
    expect(await lock.release()).toBe(true);
    using time = new OwnTime();
    const next = await waiting;
    expect(time.ms).toBeLessThan(1_000);
    expect(await next.release()).toBe(true);
    for (const node of nodes.slice(0, count)) {
      expect(String(await node.command('INFO', 'commandstats'))).not.toMatch(/cmdstat_subscribe:/);
    }
  });

  it('says so when a majority has lost it, and goes on when a minority has', async () => {
    const flush = (to: number): Promise<unknown> =>
      Promise.all(nodes.slice(0, to).map((node) => node.command('FLUSHALL')));
    const lock = await locks.acquire(newName());
    await flush(minority);
    expect(await lock.extend()).toBe(true);
    await flush(minority + 1);
    expect(await lock.extend()).toBe(false);
    expect(await aborted(lock.signal)).toMatchObject({ code: 'ROOKERY_LOCK_LOST', reason: 'taken-away' });
    expect(await lock.release()).toBe(false);

    const another = await locks.acquire(newName());
    await flush(minority);
    expect(await another.release()).toBe(true);
    const third = await locks.acquire(newName());
    await flush(minority + 1);
    expect(await third.release()).toBe(false);
  });
});

describe.each([2, 4])('a quorum of %i servers, which can be split evenly', (count) => {
  it('grants nothing in a split, and then one after the other', async () => {
    const near = servers.slice(0, count).map(({ url }) => url);
    const proxies: TcpProxy[] = [];
    const far: string[] = [];
    for (const node of nodes.slice(0, count)) {
      const proxy = await startTcpProxy(node);
      proxies.push(proxy);
      far.push(`redis://${proxy.host}:${proxy.port}`);
    }
    // Each is nearer to one half of them.
    const isNear = (i: number): boolean => i < count / 2;
    const one = await quorumApp(near.map((url, i) => (isNear(i) ? url : (far[i] as string))));
    const other = await quorumApp(near.map((url, i) => (isNear(i) ? (far[i] as string) : url)));
    const [locks, elsewhere] = [one.get(LockService), other.get(LockService)];
    for (const proxy of proxies) proxy.delay('10ms');
    try {
      let most = 0;
      await eventually(
        async () => {
          const name = newName();
          const attempts = await Promise.all([locks.tryAcquire(name), elsewhere.tryAcquire(name)]);
          const granted = attempts.filter((attempt): attempt is LockHandle => attempt.acquired);
          most = Math.max(most, granted.length);
          await Promise.all(granted.map((lock) => lock.release()));
          expect(granted).toHaveLength(0);
          for (const { retryAfterMs } of attempts as LockRefusal[]) expect(retryAfterMs).toBeGreaterThan(0);
        },
        { within: '20s' },
      );
      expect(most).toBeLessThanOrEqual(1);

      const name = newName();
      let inside = 0;
      const order: number[] = [];
      const work = async ({ fence }: LockHandle): Promise<void> => {
        expect((inside += 1)).toBe(1);
        order.push(fence);
        await new Promise((resolve) => setTimeout(resolve, 20));
        inside -= 1;
      };
      for (let round = 0; round < 3; round++) {
        await Promise.all([locks.using(name, work), elsewhere.using(name, work)]);
      }
      expect(order).toHaveLength(6);
      expect(order).toEqual([...order].sort((a, b) => a - b));
    } finally {
      await one.close();
      await other.close();
      for (const proxy of proxies) await proxy.stop();
    }
  });
});

expectNoLeakedConnections();

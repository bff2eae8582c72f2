import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { KeySpace } from '../../../src/core/index.js';
import { LockService, type LockHandle } from '../../../src/lock/index.js';
import {
  eventually,
  startRedis,
  startTcpProxy,
  type RedisNode,
  type RedisServer,
  type TcpProxy,
} from '../../../src/testing/index.js';
import { lockApp, type LockAppOptions } from '../../support/lock-app.js';
import { aborted, revive, taken, untilUp } from '../../support/lock-faults.js';
import { OwnTime } from '../../support/own-time.js';
import { expectNoLeakedConnections, randomPrefix } from '../../support/redis.js';
import { timed } from '../redis/outcome.js';

const DEADLINE_MS = 1_000;
const SLACK_MS = 500;
const UNAVAILABLE = { code: 'ROOKERY_REDIS_UNAVAILABLE' };
const LOCK = { redisDeadline: `${DEADLINE_MS}ms`, wait: '30s' } as const;

const prefix = randomPrefix();
let server: RedisServer;
let node: RedisNode;
/** Between the server and the application whose network fails. */
let line: TcpProxy;
let one: TestingModule;
let other: TestingModule;
let locks: LockService;
let elsewhere: LockService;
let used = 0;
const newName = (): string => `lock-${(used += 1)}`;
const openApp = (options: Partial<LockAppOptions> = {}): Promise<TestingModule> =>
  lockApp({ redis: { url: server.url }, prefix, lock: LOCK, ...options });

beforeAll(async () => {
  // What the server knew outlives it.
  server = await startRedis({ appendOnly: true });
  node = server.nodes[0] as RedisNode;
  line = await startTcpProxy(node);
  one = await openApp({ redis: { url: `redis://${line.host}:${line.port}` } });
  other = await openApp();
  locks = one.get(LockService);
  elsewhere = other.get(LockService);
});
afterEach(async () => {
  await line.heal();
  await revive([node]);
  await untilUp([one, other]);
});
afterAll(async () => {
  await one.close();
  await other.close();
  await line.stop();
  await server.stop();
});

const waitingAt = (name: string, count: number): Promise<void> =>
  eventually(async () => expect((await elsewhere.inspect(name)).waiting).toBe(count), { within: '15s' });

const FAULTS = [
  ['dead', () => node.kill()],
  ['frozen', () => node.pause()],
  ['cut off', async () => line.freeze()],
  ['out of reach', () => line.refuse()],
] as const;

describe.each(FAULTS)('while Redis is %s', (_, fail) => {
  it('nothing is granted, which is said in time', async () => {
    const { acquired } = locks.counters;
    await fail();
    let hasRun = false;
    const attempts = [
      locks.acquire(newName()),
      locks.tryAcquire(newName()),
      locks.using(newName(), () => void (hasRun = true)),
    ];
    for (const { error, ownMs } of await Promise.all(attempts.map(timed))) {
      expect(error).toMatchObject(UNAVAILABLE);
      expect(ownMs).toBeLessThan(DEADLINE_MS + SLACK_MS);
    }
    expect(hasRun).toBe(false);
    expect(locks.counters.acquired).toBe(acquired);
  });

  it('a holder is told in time that its lease ends', async () => {
    const lock = await locks.acquire(newName(), { ttl: '1500ms' });
    using time = new OwnTime();
    await fail();
    expect(await aborted(lock.signal)).toMatchObject({ code: 'ROOKERY_LOCK_LOST', reason: 'lease-ended' });
    expect(time.ms).toBeLessThan(1_500);
    expect([lock.isHeld, lock.validForMs, await lock.release()]).toEqual([false, 0, false]);
  });

  it('a lock is given back as soon as it is there again', async () => {
    const name = newName();
    const lock = await locks.acquire(name);
    await fail();
    const released = await timed(lock.release());
    expect(released.value).toBe(true);
    expect(released.ownMs).toBeLessThan(DEADLINE_MS + SLACK_MS);
    await line.heal();
    await revive([node]);
    await untilUp([other]);
    const next = await timed(elsewhere.acquire(name));
    expect(next.error).toBeUndefined();
    // Its lease would have lasted for half a minute.
    expect(next.tookMs).toBeLessThan(15_000);
    expect(await (next.value as LockHandle).release()).toBe(true);
  });
});

describe('a lost connection', () => {
  it('never lets others in before the holder knows', async () => {
    const name = newName();
    const lock = await locks.acquire(name, { ttl: '1s' });
    line.freeze();
    const next = await elsewhere.acquire(name);
    expect([lock.isHeld, lock.signal.aborted]).toEqual([false, true]);
    expect(next.fence).toBeGreaterThan(lock.fence);
    expect(await next.release()).toBe(true);
  });

  it('with a grant on its way does not hold the lock', async () => {
    const name = newName();
    await (await locks.acquire(newName())).release();
    line.delay('300ms');
    const asking = timed(locks.acquire(name));
    await eventually(async () => expect((await elsewhere.inspect(name)).state).toBe('held'), { every: '5ms' });
    line.cut();
    expect((await asking).error).toMatchObject({ ...UNAVAILABLE, mayHaveRun: true });
    await line.heal();
    const next = await timed(elsewhere.acquire(name));
    expect(next.error).toBeUndefined();
    expect(next.tookMs).toBeLessThan(15_000);
    expect(await (next.value as LockHandle).release()).toBe(true);
  });

  it('of the one whose turn it is keeps others from the lock for a moment only', async () => {
    const name = newName();
    const lock = await elsewhere.acquire(name);
    const first = timed(locks.acquire(name));
    await waitingAt(name, 1);
    const second = timed(elsewhere.acquire(name));
    await waitingAt(name, 2);
    // Who has asked just now is handed the whole lease, as if the lock had been free then.
    await delay(250);
    line.freeze();
    expect(await lock.release()).toBe(true);
    const next = await second;
    expect(next.error).toBeUndefined();
    expect(await (next.value as LockHandle).release()).toBe(true);
    await line.heal();
    const { value, error } = await first;
    if (error !== undefined) expect(error).toMatchObject(UNAVAILABLE);
    else expect(await (value as LockHandle).release()).toBe(true);
  });
});

describe('those who wait', () => {
  /** Queues so many, one after the other, of both applications in turn. They hold it for no time. */
  async function queueUp(name: string, count: number, order: number[]): Promise<Promise<unknown>[]> {
    const waiting: Promise<unknown>[] = [];
    for (let i = 0; i < count; i++) {
      waiting.push((i % 2 === 0 ? elsewhere : locks).using(name, () => void order.push(i)));
      await waitingAt(name, i + 1);
    }
    return waiting;
  }

  it('keep their order when the queue was lost', async () => {
    const name = newName();
    const order: number[] = [];
    const lock = await elsewhere.acquire(name);
    const waiting = await queueUp(name, 4, order);
    await node.command('FLUSHALL');
    // Somebody has it again before they look.
    const another = taken(await elsewhere.tryAcquire(name));
    await node.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    // One whom nobody hears would be taken out until it is heard again.
    await eventually(async () => expect(await node.command('PUBSUB', 'CHANNELS', '*:lock:wake:*')).toHaveLength(2));
    await waitingAt(name, 4);
    expect(await lock.release()).toBe(false);
    expect(await another.release()).toBe(true);
    await Promise.all(waiting);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  it('have it in their order, or are told, when Redis is restarted', async () => {
    const name = newName();
    const order: number[] = [];
    const lock = await elsewhere.acquire(name);
    const waiting = (await queueUp(name, 4, order)).map(timed);
    await node.restart();
    await untilUp([one, other]);
    expect(await lock.release()).toBe(true);
    for (const { error } of await Promise.all(waiting)) {
      if (error !== undefined) expect(error).toMatchObject(UNAVAILABLE);
    }
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });
});

describe('an application that shuts down', () => {
  it('gives everything back before its connections close, and tells those who hold and those who wait', async () => {
    const closing = await openApp();
    const service = closing.get(LockService);
    const [held, awaited] = [newName(), newName()] as const;
    const lock = await service.acquire(held);
    const keeper = await elsewhere.acquire(awaited);
    const waiting = timed(service.acquire(awaited));
    await waitingAt(awaited, 1);
    let hasEnded = false;
    const work = timed(
      service.using(newName(), async () => {
        await new Promise((resolve) => setTimeout(resolve, 200));
        hasEnded = true;
      }),
    );
    await eventually(() => expect(service.counters.acquired).toBe(2));
    await closing.close();
    expect(hasEnded).toBe(true);
    expect((await work).error).toBeUndefined();
    expect((await waiting).error).toMatchObject({ ...UNAVAILABLE, reason: 'closing' });
    expect(await aborted(lock.signal)).toMatchObject({ code: 'ROOKERY_LOCK_LOST', reason: 'closing' });
    expect(await taken(await elsewhere.tryAcquire(held)).release()).toBe(true);
    expect((await elsewhere.inspect(awaited)).waiting).toBe(0);
    expect(await keeper.release()).toBe(true);
    await expect(service.acquire(held)).rejects.toMatchObject({ ...UNAVAILABLE, reason: 'closing' });
  });

  it('waits for work no longer than drainTimeout', async () => {
    const closing = await openApp({ lock: { ...LOCK, drainTimeout: '200ms' } });
    const name = newName();
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const work = timed(
      closing.get(LockService).using(name, async (lock) => {
        begin();
        await aborted(lock.signal);
      }),
    );
    await begun;
    await closing.close();
    expect((await work).error).toMatchObject({ code: 'ROOKERY_LOCK_LOST', reason: 'closing' });
    expect(await taken(await elsewhere.tryAcquire(name)).release()).toBe(true);
  });

  it('is not held up by a Redis that is frozen', async () => {
    const closing = await openApp();
    const lock = await closing.get(LockService).acquire(newName());
    await node.pause();
    const { error, ownMs } = await timed(closing.close());
    expect(error).toBeUndefined();
    expect(ownMs).toBeLessThan(6_000);
    expect(lock.isHeld).toBe(false);
  });
});

it('leaves no lock held and nobody waiting', async () => {
  const keys = (await node.command('KEYS', `${new KeySpace(prefix, 'lock').prefix}*:queue`)) as unknown[];
  expect(keys.map(String)).toEqual([]);
});

expectNoLeakedConnections();

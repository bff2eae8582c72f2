import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { redisToken, type RedisConnection } from '../../../src/core/index.js';
import {
  LockLostError,
  LockNotAcquiredError,
  LockService,
  LockUsageError,
  type LockEvent,
  type LockHandle,
  type LockRefusal,
} from '../../../src/lock/index.js';
import { eventually } from '../../../src/testing/index.js';
import { lockApp } from '../../support/lock-app.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  randomPrefix,
  sharedRedis,
} from '../../support/redis.js';

describeTopologies((topology) => {
  const prefix = randomPrefix();
  let one: TestingModule;
  let other: TestingModule;
  let locks: LockService;
  let elsewhere: LockService;
  let names = 0;
  const newName = (): string => `lock-${(names += 1)}`;

  beforeAll(async () => {
    const options = { redis: sharedRedis(topology), prefix };
    one = await lockApp(options);
    other = await lockApp(options);
    locks = one.get(LockService);
    elsewhere = other.get(LockService);
  });
  afterAll(async () => {
    await expectEveryKeyExpires(topology, prefix);
    await one.close();
    await other.close();
  });

  const waitingAt = async (name: string, count: number): Promise<void> =>
    eventually(async () => expect((await locks.inspect(name)).waiting).toBe(count), { within: '10s' });

  const taken = (attempt: LockHandle | LockRefusal): LockHandle => {
    if (!attempt.acquired) throw new Error(`Others have it for ${attempt.retryAfterMs} ms.`);
    return attempt;
  };

  describe('a lock', () => {
    it('is held by one at a time', async () => {
      const name = newName();
      const lock = await locks.acquire(name, { ttl: '20s' });
      expect(lock).toMatchObject({ acquired: true, name, isHeld: true });
      const refusal = await elsewhere.tryAcquire(name);
      expect(refusal.acquired).toBe(false);
      expect((refusal as LockRefusal).retryAfterMs).toBeGreaterThan(10_000);
      expect((refusal as LockRefusal).retryAfterMs).toBeLessThanOrEqual(20_000);
      expect(await lock.release()).toBe(true);
      expect(await taken(await elsewhere.tryAcquire(name)).release()).toBe(true);
    });

    it('is another than one with another name, whatever the names hold', async () => {
      const held = await Promise.all(
        ['a', 'a:shares', '{a}', 'a}:queue', '*', ['a', 1], ['a', '1']].map((name) => locks.tryAcquire(name)),
      );
      expect(held.map(({ acquired }) => acquired)).toEqual(held.map(() => true));
      await Promise.all(held.map((attempt) => taken(attempt).release()));
    });

    it('is given back once, and by its holder alone', async () => {
      const name = newName();
      const lock = await locks.acquire(name);
      expect(await lock.release()).toBe(true);
      const next = await elsewhere.acquire(name);
      expect(await lock.release()).toBe(false);
      expect(await lock.extend()).toBe(false);
      expect(next.isHeld).toBe(true);
      expect((await locks.tryAcquire(name)).acquired).toBe(false);
      await next.release();
    });

    it('has a greater fence each time', async () => {
      const name = newName();
      const fences: number[] = [];
      for (let i = 0; i < 20; i++) {
        const lock = await (i % 2 === 0 ? locks : elsewhere).acquire(name);
        fences.push(lock.fence);
        await lock.release();
      }
      expect(fences).toEqual([...new Set(fences)].toSorted((a, b) => a - b));
      expect(fences.every(Number.isSafeInteger)).toBe(true);
    });

    it('is given back at the end of a block', async () => {
      const name = newName();
      {
        await using lock = await locks.acquire(name);
        expect(lock.isHeld).toBe(true);
      }
      expect((await locks.inspect(name)).state).toBe('free');
    });

    it('is free for the next one when its holder is gone, after the lease', async () => {
      const name = newName();
      await locks.acquire(name, { ttl: '100ms', autoExtend: false });
      const next = await elsewhere.acquire(name);
      expect((await locks.tryAcquire(name)).acquired).toBe(false);
      await next.release();
    });

    // Who came some time ago might be gone: the lock is handed over for a second, and has to be prolonged.
    it.each([0, 250])(
      'is kept by one who waited for it for %d ms and more, and then keeps the process too busy to hear of Redis',
      async (ms) => {
        const name = newName();
        const first = await elsewhere.acquire(name);
        // A server that has never seen the script would ask for it.
        await first.extend();
        const waiting = locks.acquire(name, { ttl: '20s' });
        await waitingAt(name, 1);
        await delay(ms);
        const released = first.release();
        const lock = await waiting;
        // Longer than the second with which it was handed over.
        const untilMs = performance.now() + 1_300;
        while (performance.now() < untilMs);
        expect(await lock.release()).toBe(true);
        expect(await released).toBe(true);
      },
    );

    it('is held for longer than its lease while its holder lives', async () => {
      const name = newName();
      const lock = await locks.acquire(name, { ttl: '300ms' });
      const since = performance.now();
      while (performance.now() - since < 900) {
        expect((await elsewhere.tryAcquire(name)).acquired).toBe(false);
        await delay(20);
      }
      expect([lock.isHeld, await lock.release()]).toEqual([true, true]);
    });

    it('is held for maxHold at most', async () => {
      const name = newName();
      const lock = await locks.acquire(name, { ttl: '300ms', maxHold: '600ms' });
      const next = await elsewhere.acquire(name);
      expect(lock.signal.reason).toMatchObject({ code: 'ROOKERY_LOCK_LOST', reason: 'max-hold' });
      expect(next.isHeld).toBe(true);
      await next.release();
    });

    it('is not to be had by others before atLeast, though it was given back', async () => {
      const name = newName();
      const begun = performance.now();
      const lock = await locks.acquire(name, { atLeast: '250ms' });
      expect(await lock.release()).toBe(true);
      expect((await elsewhere.tryAcquire(name)).acquired).toBe(false);
      const next = await elsewhere.acquire(name);
      expect(performance.now() - begun).toBeGreaterThan(249);
      await next.release();
    });

    it('tells what is to be seen of it, and no token', async () => {
      const name = newName();
      expect(await locks.inspect(name)).toEqual({ state: 'free', holders: [], waiting: 0, fence: null });
      const lock = await locks.acquire(name, { ttl: '20s' });
      const seen = await elsewhere.inspect(name);
      expect(seen).toMatchObject({ state: 'held', waiting: 0, fence: lock.fence });
      expect(seen.holders).toEqual([{ permits: 'all', leaseMs: expect.any(Number) as unknown }]);
      await lock.release();
      expect(await locks.inspect(name)).toMatchObject({ state: 'free', fence: lock.fence });
    });
  });

  describe('those who wait', () => {
    it('have it in the order in which they came, from whichever process', async () => {
      const name = newName();
      const first = await locks.acquire(name);
      const order: number[] = [];
      const waiting: Promise<void>[] = [];
      for (let i = 0; i < 8; i++) {
        waiting.push((i % 2 === 0 ? locks : elsewhere).using(name, () => void order.push(i)));
        await waitingAt(name, i + 1);
      }
      await first.release();
      await Promise.all(waiting);
      expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(await locks.inspect(name)).toMatchObject({ state: 'free', waiting: 0 });
    });

    it('are not overtaken by who does not wait', async () => {
      const name = newName();
      const first = await locks.acquire(name);
      const second = elsewhere.acquire(name);
      await waitingAt(name, 1);
      // The release hands it over, so that not even the next command finds it free.
      const [, barging] = await Promise.all([first.release(), locks.tryAcquire(name)]);
      expect(barging.acquired).toBe(false);
      await (await second).release();
    });

    it('give up after their time, and leave no trace', async () => {
      const name = newName();
      const lock = await locks.acquire(name, { ttl: '20s' });
      const error = await elsewhere.acquire(name, { wait: '50ms' }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(LockNotAcquiredError);
      expect(error).toMatchObject({ code: 'ROOKERY_LOCK_NOT_ACQUIRED' });
      expect((error as LockNotAcquiredError).waitedMs).toBeGreaterThanOrEqual(49);
      expect((error as LockNotAcquiredError).retryAfterMs).toBeGreaterThan(10_000);
      await waitingAt(name, 0);
      await lock.release();
      expect((await locks.inspect(name)).state).toBe('free');
    });

    it('are taken out by their signal, with its reason', async () => {
      const name = newName();
      const lock = await locks.acquire(name);
      const caller = new AbortController();
      const waiting = elsewhere.acquire(name, { signal: caller.signal });
      await waitingAt(name, 1);
      const reason = new Error('enough');
      caller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      await waitingAt(name, 0);
      await expect(locks.acquire(name, { signal: caller.signal })).rejects.toBe(reason);
      await lock.release();
      expect((await locks.inspect(name)).state).toBe('free');
    });

    it('do not hold up those behind them once they are gone', async () => {
      const name = newName();
      const lock = await locks.acquire(name);
      const caller = new AbortController();
      const gone = elsewhere.acquire(name, { signal: caller.signal });
      await waitingAt(name, 1);
      const next = locks.acquire(name);
      await waitingAt(name, 2);
      caller.abort(new Error('enough'));
      await expect(gone).rejects.toThrow('enough');
      await lock.release();
      await (await next).release();
    });

    it('cost three commands each, from asking to giving back', async () => {
      const name = newName();
      // So that the process listens already.
      await elsewhere.acquire(name).then((lock) => lock.release());
      const first = await locks.acquire(name);
      const { counters } = other.get<RedisConnection>(redisToken());
      const before = counters.commands;
      const waiting = Array.from({ length: 10 }, () => elsewhere.using(name, () => undefined));
      await waitingAt(name, 10);
      await first.release();
      await Promise.all(waiting);
      expect(counters.commands - before).toBeLessThanOrEqual(31);
    });
  });

  describe('using', () => {
    it('runs the work with the lock, and gives it back', async () => {
      const name = newName();
      const result = await locks.using(name, { ttl: '20s' }, async (lock) => {
        expect((await elsewhere.inspect(name)).fence).toBe(lock.fence);
        return 42;
      });
      expect(result).toBe(42);
      expect((await locks.inspect(name)).state).toBe('free');
    });

    it('gives it back when the work fails, and fails as the work does', async () => {
      const name = newName();
      const failure = new TypeError('no');
      await expect(locks.using(name, () => Promise.reject(failure))).rejects.toBe(failure);
      await expect(
        locks.using(name, () => {
          throw failure;
        }),
      ).rejects.toBe(failure);
      expect((await locks.inspect(name)).state).toBe('free');
    });

    it('rejects when the lock was lost before the work had ended', async () => {
      const name = newName();
      const work = locks.using(name, async () => elsewhere.forceRelease(name, { reason: 'a test' }));
      await expect(work).rejects.toBeInstanceOf(LockLostError);
      await expect(work).rejects.toMatchObject({ reason: 'taken-away' });
    });

    it('lets the work give it back sooner', async () => {
      const name = newName();
      expect(await locks.using(name, async (lock) => lock.release())).toBe(true);
    });
  });

  describe('a lock that is taken away', () => {
    it('goes to the next one, and its holder learns of it when it prolongs the lease', async () => {
      const name = newName();
      const events: LockEvent[] = [];
      const stop = locks.on((event) => events.push(event));
      const lock = await locks.acquire(name, { ttl: '300ms' });
      const next = elsewhere.acquire(name);
      await waitingAt(name, 1);
      expect(await elsewhere.forceRelease(name, { reason: 'its holder hangs' })).toBe(1);
      const { fence } = await next;
      expect(fence).toBeGreaterThan(lock.fence);
      await eventually(() => expect(lock.signal.aborted).toBe(true), { within: '10s' });
      expect(lock.signal.reason).toMatchObject({ code: 'ROOKERY_LOCK_LOST', reason: 'taken-away' });
      expect(() => lock.throwIfLost()).toThrow(LockLostError);
      expect(await lock.release()).toBe(false);
      expect(events).toContainEqual({ type: 'lost', name, fence: lock.fence, reason: 'taken-away' });
      stop();
      await (await next).release();
    });

    it('is told of for the audit', async () => {
      const name = newName();
      const events: LockEvent[] = [];
      const stop = elsewhere.on((event) => events.push(event));
      await locks.acquire(name);
      await elsewhere.forceRelease(name, { reason: 'its holder is dead' });
      stop();
      const atMs = expect.any(Number) as unknown;
      const reason = 'its holder is dead';
      expect(events).toEqual([{ type: 'released-by-force', name, reason, holders: 1, atMs }]);
      expect((await locks.tryAcquire(name)).acquired).toBe(true);
    });
  });

  describe('readers', () => {
    it('have it together, and a writer alone', async () => {
      const name = newName();
      const readers = await Promise.all([1, 2, 3].map(() => elsewhere.acquire(name, { mode: 'read' })));
      expect((await locks.tryAcquire(name)).acquired).toBe(false);
      const writer = locks.acquire(name);
      await waitingAt(name, 1);
      // Whoever waits goes first: readers that come later do not starve the writer.
      expect((await elsewhere.tryAcquire(name, { mode: 'read' })).acquired).toBe(false);
      const late = [4, 5].map(() => elsewhere.acquire(name, { mode: 'read' }));
      await waitingAt(name, 3);
      for (const reader of readers) expect(await reader.release()).toBe(true);
      const writing = await writer;
      expect((await locks.inspect(name)).holders).toHaveLength(1);
      await writing.release();
      const together = await Promise.all(late);
      expect((await locks.inspect(name)).holders).toMatchObject([{ permits: 1 }, { permits: 1 }]);
      for (const reader of together) await reader.release();
    });

    it('make room for a writer when their leases end, each its own', async () => {
      const name = newName();
      await locks.acquire(name, { mode: 'read', ttl: '80ms', autoExtend: false });
      const living = await locks.acquire(name, { mode: 'read', ttl: '300ms' });
      await eventually(async () => expect((await locks.inspect(name)).holders).toHaveLength(1), { within: '10s' });
      expect((await elsewhere.tryAcquire(name)).acquired).toBe(false);
      await living.release();
      await (await elsewhere.acquire(name)).release();
    });
  });

  describe('permits', () => {
    it('are out as many as the limit says', async () => {
      const name = newName();
      const options = { limit: 3 };
      const held = await Promise.all([1, 2, 3].map((i) => (i === 1 ? locks : elsewhere).acquire(name, options)));
      expect((await locks.tryAcquire(name, options)).acquired).toBe(false);
      const waiting = locks.acquire(name, options);
      await waitingAt(name, 1);
      await held[1]?.release();
      await (await waiting).release();
      await held[0]?.release();
      await held[2]?.release();
      expect((await locks.inspect(name)).state).toBe('free');
    });

    it('are taken several at once, and who needs many is not overtaken by who needs few', async () => {
      const name = newName();
      const two = await locks.acquire(name, { limit: 3, permits: 2 });
      const three = elsewhere.acquire(name, { limit: 3, permits: 3 });
      await waitingAt(name, 1);
      expect((await locks.tryAcquire(name, { limit: 3 })).acquired).toBe(false);
      await two.release();
      await (await three).release();
    });
  });

  it.each([
    ['', {}],
    [[], {}],
    [['a', ''], {}],
    ['a', { ttl: '9ms' }],
    ['a', { ttl: '0s' }],
    ['a', { ttl: 900 as unknown as '1s' }],
    ['a', { wait: '-1s' }],
    ['a', { limit: 0 }],
    ['a', { limit: 2, permits: 0 }],
    ['a', { limit: 2, permits: 3 }],
    ['a', { limit: 1.5 }],
    ['a', { permits: 2 }],
    ['a', { mode: 'append' as unknown as 'read' }],
    ['a', { mode: 'read', limit: 2 }],
  ] as const)('refuses %j with %j, and sends nothing', async (name, options) => {
    const acquired = locks.counters.acquired;
    await expect(locks.acquire(name, options)).rejects.toBeInstanceOf(LockUsageError);
    const using = locks.using(name, options, () => undefined);
    await expect(using).rejects.toMatchObject({ code: 'ROOKERY_LOCK_USAGE' });
    expect(locks.counters.acquired).toBe(acquired);
  });
});

expectNoLeakedConnections();

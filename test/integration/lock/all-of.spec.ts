import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { allOf, LockService, LockUsageError } from '../../../src/lock/index.js';
import { eventually } from '../../../src/testing/index.js';
import { lockApp } from '../../support/lock-app.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';

const NAMES = ['a', 'b', ['c', 3], 'd'] as const;

describeTopologies((topology) => {
  let one: TestingModule;
  let other: TestingModule;
  let locks: LockService;
  let elsewhere: LockService;

  beforeAll(async () => {
    const options = { redis: sharedRedis(topology), prefix: randomPrefix() };
    one = await lockApp(options);
    other = await lockApp(options);
    locks = one.get(LockService);
    elsewhere = other.get(LockService);
  });
  afterAll(async () => {
    await one.close();
    await other.close();
  });

  it('takes all of them, with one fence, and gives all of them back', async () => {
    const lock = await locks.acquire(allOf(...NAMES, 'a'));
    for (const name of NAMES) {
      expect((await elsewhere.tryAcquire(name)).acquired).toBe(false);
      expect((await elsewhere.inspect(name)).fence).toBe(lock.fence);
    }
    expect(await lock.extend()).toBe(true);
    expect(await lock.release()).toBe(true);
    for (const name of NAMES) {
      const next = await elsewhere.acquire(name);
      expect(next.fence).toBeGreaterThan(lock.fence);
      await next.release();
    }
  });

  it('takes none of them when one is held', async () => {
    const held = await elsewhere.acquire('b');
    expect((await locks.tryAcquire(allOf(...NAMES))).acquired).toBe(false);
    await expect(locks.acquire(allOf(...NAMES), { wait: '50ms' })).rejects.toThrow('held by others');
    for (const name of ['a', ['c', 3], 'd']) {
      await eventually(async () => expect((await locks.inspect(name)).state).toBe('free'), { within: '10s' });
    }
    await held.release();
  });

  it('waits for those that are held, and has a greater fence than each of their holders', async () => {
    const held = await elsewhere.acquire('c2');
    const waiting = locks.acquire(allOf('a', 'c2', 'z'));
    await eventually(async () => expect((await locks.inspect('c2')).waiting).toBe(1), { within: '10s' });
    await held.release();
    const lock = await waiting;
    expect(lock.fence).toBeGreaterThan(held.fence);
    expect((await elsewhere.inspect('a')).fence).toBe(lock.fence);
    await lock.release();
  });

  it('never has two wait for each other', async () => {
    const rounds = Array.from({ length: 20 }, async (_, i) => {
      const names = i % 2 === 0 ? allOf('p', 'q', 'r') : allOf('r', 'q', 'p');
      return (i % 3 === 0 ? locks : elsewhere).using(names, { wait: '30s' }, () => i);
    });
    expect(await Promise.all(rounds)).toHaveLength(20);
  });

  it('refuses no names at all, and empty ones', async () => {
    await expect(locks.acquire(allOf())).rejects.toBeInstanceOf(LockUsageError);
    await expect(locks.acquire(allOf('a', ''))).rejects.toBeInstanceOf(LockUsageError);
  });
});

expectNoLeakedConnections();

import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { currentLock, Lock, LockNotAcquiredError, LockService, LockUsageError } from '../../../src/lock/index.js';
import { eventually } from '../../../src/testing/index.js';
import { lockApp } from '../../support/lock-app.js';
import { expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';

interface Order {
  readonly id: number;
}

@Injectable()
class Payments {
  static running = 0;
  static most = 0;

  @Lock({ name: (order: Order) => ['payment', order.id], ttl: '10s', wait: '10s' })
  async pay(_order: Order): Promise<number> {
    Payments.running += 1;
    Payments.most = Math.max(Payments.most, Payments.running);
    await delay(5);
    Payments.running -= 1;
    return currentLock()?.fence ?? 0;
  }

  @Lock({ name: (order: Order) => ['payment', order.id] })
  async payTwice(order: Order): Promise<readonly number[]> {
    return [await this.pay(order), await this.pay(order), currentLock()?.fence ?? 0];
  }

  @Lock({ whenBusy: 'skip' })
  async report(): Promise<string | undefined> {
    await delay(50);
    return 'reported';
  }

  @Lock({ wait: '0ms' })
  async strict(): Promise<void> {
    await delay(50);
  }

  @Lock({ name: 'failing', whenBusy: 'skip' })
  async failing(): Promise<void> {
    throw new LockNotAcquiredError(1, 2);
  }
}

let one: TestingModule;
let other: TestingModule;

beforeAll(async () => {
  const options = { redis: sharedRedis('standalone'), prefix: randomPrefix(), providers: [Payments] };
  one = await lockApp(options);
  other = await lockApp(options);
});
afterAll(async () => {
  await one.close();
  await other.close();
});
beforeEach(() => {
  Payments.most = 0;
});

describe('@Lock', () => {
  it('runs a method for one caller at a time, over all processes, by the arguments', async () => {
    const apps = [one, other, one, other];
    const fences = await Promise.all(apps.map((app) => app.get(Payments).pay({ id: 1 })));
    expect(Payments.most).toBe(1);
    expect(new Set(fences).size).toBe(4);
    await Promise.all(apps.map((app, id) => app.get(Payments).pay({ id })));
    expect(Payments.most).toBeGreaterThan(1);
  });

  it('lets a method enter again what its caller holds, and gives it back when both have ended', async () => {
    const [first, second, outer] = await one.get(Payments).payTwice({ id: 7 });
    expect([first, second]).toEqual([outer, outer]);
    expect((await one.get(LockService).inspect(['payment', 7])).state).toBe('free');
    expect(currentLock()).toBeUndefined();
  });

  it('leaves a call out, or rejects it, when others have the lock', async () => {
    const results = await Promise.all([one.get(Payments).report(), other.get(Payments).report()]);
    expect(results.toSorted()).toEqual(['reported', undefined]);
    const strict = await Promise.allSettled([one.get(Payments).strict(), other.get(Payments).strict()]);
    expect(strict.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('does not take the failure of the method for its own', async () => {
    await expect(one.get(Payments).failing()).rejects.toBeInstanceOf(LockNotAcquiredError);
  });
});

describe('a lock that is entered again', () => {
  const again = { reentrant: true } as const;

  it('is held until the last one has left, also when that is not the first one', async () => {
    const locks = one.get(LockService);
    let inner: Promise<unknown> = Promise.resolve();
    let finish = (): void => undefined;
    await locks.using('nested', again, () => {
      inner = locks.using('nested', again, () => new Promise<void>((resolve) => (finish = resolve)));
      return delay(1);
    });
    expect((await other.get(LockService).tryAcquire('nested')).acquired).toBe(false);
    finish();
    await inner;
    expect((await locks.inspect('nested')).state).toBe('free');
  });

  it('is taken anew by what goes on after it was given back', async () => {
    const locks = one.get(LockService);
    let late: Promise<number> = Promise.resolve(0);
    const first = await locks.using('late', again, (lock) => {
      late = delay(20).then(() => locks.using('late', again, ({ fence }) => fence));
      return lock.fence;
    });
    expect(await late).toBeGreaterThan(first);
  });

  it('is not to be written by who reads it', async () => {
    const locks = one.get(LockService);
    const reading = locks.using('upgrade', { ...again, mode: 'read' }, () => locks.using('upgrade', again, () => 1));
    await expect(reading).rejects.toBeInstanceOf(LockUsageError);
    const writing = locks.using('down', again, () => locks.using('down', { ...again, mode: 'read' }, () => 1));
    expect(await writing).toBe(1);
    await expect(locks.using('permits', { ...again, limit: 2 }, () => 1)).rejects.toBeInstanceOf(LockUsageError);
  });

  it('is another one in another call', async () => {
    const locks = one.get(LockService);
    let running = 0;
    let most = 0;
    const work = (): Promise<void> =>
      locks.using('siblings', again, async () => {
        most = Math.max(most, (running += 1));
        await delay(5);
        running -= 1;
      });
    await Promise.all([work(), work(), work()]);
    expect(most).toBe(1);
  });
});

it('runs a scheduled job once in all processes, though their clocks differ a little', async () => {
  const runs: string[] = [];
  const ticks: string[] = [];

  @Injectable()
  class Jobs {
    @Cron('* * * * * *')
    tick(): void {
      ticks.push('tick');
    }

    @Cron('* * * * * *')
    @Lock({ name: 'every-second', wait: '0ms', whenBusy: 'skip', atLeast: '700ms' })
    async everySecond(): Promise<void> {
      runs.push(new Date().toISOString().slice(0, 19));
    }
  }
  const prefix = randomPrefix();
  const options = { redis: sharedRedis('standalone'), prefix, providers: [Jobs], imports: [ScheduleModule.forRoot()] };
  const apps = await Promise.all([1, 2, 3].map(() => lockApp(options)));
  await eventually(() => expect(ticks.length).toBeGreaterThanOrEqual(9), { within: '20s' });
  await Promise.all(apps.map((app) => app.close()));
  expect(runs.length).toBeGreaterThanOrEqual(2);
  expect(new Set(runs).size).toBe(runs.length);
});

expectNoLeakedConnections();

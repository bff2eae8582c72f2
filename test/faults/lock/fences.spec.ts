import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { KeySpace } from '../../../src/core/index.js';
import { FencedStore, LockService } from '../../../src/lock/index.js';
import { eventually, startRedis, type RedisNode, type RedisServer } from '../../../src/testing/index.js';
import { lockApp } from '../../support/lock-app.js';
import { untilUp } from '../../support/lock-faults.js';
import { expectNoLeakedConnections, randomPrefix } from '../../support/redis.js';

const prefix = randomPrefix();
let server: RedisServer;
let node: RedisNode;
let one: TestingModule;
let other: TestingModule;
let locks: LockService;
let elsewhere: LockService;
let used = 0;
const newName = (): string => `lock-${(used += 1)}`;

beforeAll(async () => {
  server = await startRedis();
  node = server.nodes[0] as RedisNode;
  one = await lockApp({ redis: { url: server.url }, prefix });
  other = await lockApp({ redis: { url: server.url }, prefix });
  locks = one.get(LockService);
  elsewhere = other.get(LockService);
});
afterAll(async () => {
  await one.close();
  await other.close();
  await server.stop();
});

describe('fences', () => {
  const ends = { ttl: '50ms', autoExtend: false } as const;

  it('rise when leases end by themselves', async () => {
    const name = newName();
    let last = 0;
    for (let round = 0; round < 6; round++) {
      const lock = await (round % 2 === 0 ? locks : elsewhere).acquire(name, ends);
      expect(lock.fence).toBeGreaterThan(last);
      last = lock.fence;
    }
  });

  it('rise when all data is lost while somebody has the lock', async () => {
    const name = newName();
    const lock = await locks.acquire(name);
    await node.command('FLUSHALL');
    const next = await elsewhere.acquire(name);
    expect(next.fence).toBeGreaterThan(lock.fence);
    expect(await lock.extend()).toBe(false);
    expect(await next.release()).toBe(true);
  });

  it('rise when the server comes back without data', async () => {
    const name = newName();
    const lock = await locks.acquire(name);
    await node.kill();
    await node.start();
    await untilUp([one, other]);
    const next = await elsewhere.acquire(name);
    expect(next.fence).toBeGreaterThan(lock.fence);
    expect(await next.release()).toBe(true);
    expect(await lock.release()).toBe(false);
  });

  it('rise while the clock is behind the last one, as after it was set back', async () => {
    const name = newName();
    const ahead = (Date.now() + 3_600_000) * 1_000;
    await node.command('SET', new KeySpace(prefix, 'lock').key(name), `${ahead}0`, 'PX', 4_000_000);
    let last = ahead;
    for (const service of [locks, elsewhere, locks]) {
      const lock = await service.acquire(name);
      expect(lock.fence).toBe(last + 1);
      last = lock.fence;
      expect(await lock.extend('1m')).toBe(true);
      expect(await lock.release()).toBe(true);
    }
    const left = Number(await node.command('PTTL', new KeySpace(prefix, 'lock').key(name)));
    expect(left).toBeGreaterThan(3_500_000);
  });

  it('rise through a failover, whether the new primary knows of the lock or not', async () => {
    await using sentinel = await startRedis({ topology: 'sentinel', downAfter: '300ms' });
    const redis = { ...sentinel.connectionOptions, connectWithin: '10s' } as const;
    const app = await lockApp({ redis, prefix });
    try {
      const service = app.get(LockService);
      const names = Array.from({ length: 20 }, newName);
      const fences = await Promise.all(names.map(async (name) => (await service.acquire(name, ends)).fence));
      await sentinel.masters[0]?.kill();
      await eventually(() => service.tryAcquire('a lock that nobody has'), { within: '30s' });
      for (const [i, name] of names.entries()) {
        const next = await service.acquire(name);
        expect(next.fence).toBeGreaterThan(fences[i] as number);
        expect(await next.release()).toBe(true);
      }
    } finally {
      await app.close();
    }
  });
});

describe('a fenced store', () => {
  it('takes what the newest holder writes, and nothing of one who has lost the lock', async () => {
    const name = newName();
    const [store, storeElsewhere] = [one.get(FencedStore), other.get(FencedStore)];
    const stale = await locks.acquire(name, { ttl: '50ms', autoExtend: false });
    const { fence: staleFence } = stale;
    expect(await store.write(name, 'first', { fence: staleFence, ttl: '1m' })).toBe(true);
    const newest = await elsewhere.acquire(name);
    // Nobody has written since: that one had the lock before does no harm yet.
    expect(await store.write(name, 'second', { fence: staleFence, ttl: '1m' })).toBe(true);
    expect(await storeElsewhere.write(name, 'third', { fence: newest.fence, ttl: '1m' })).toBe(true);
    expect(stale.isHeld).toBe(false);
    expect(await store.write(name, 'late', { fence: staleFence, ttl: '1m' })).toBe(false);
    expect(await storeElsewhere.write(name, 'fourth', { fence: newest.fence, ttl: '1m' })).toBe(true);
    expect(await store.read(name)).toEqual({ value: Buffer.from('fourth'), fence: newest.fence });
    expect(await newest.release()).toBe(true);
  });
});

expectNoLeakedConnections();

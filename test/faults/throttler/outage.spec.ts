import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { RateLimiter } from '../../../src/throttler/index.js';
import { startRedis, type RedisServer } from '../../../src/testing/index.js';
import { OwnTime } from '../../support/own-time.js';
import { expectNoLeakedConnections } from '../../support/redis.js';
import { throttlerApp } from '../../support/throttler-app.js';

const DEADLINE_MS = 50;

let redis: RedisServer;
let app: TestingModule;
let limiter: RateLimiter;

beforeEach(async () => {
  redis = await startRedis();
  app = await throttlerApp({
    redis: { url: redis.url },
    throttler: {
      redisDeadline: `${DEADLINE_MS}ms`,
      instances: 2,
      policies: [
        { name: 'local', limit: 10, window: '1h' },
        { name: 'allow', limit: 1, window: '1h', whenRedisIsDown: 'allow' },
        { name: 'deny', limit: 10, window: '1h', whenRedisIsDown: 'deny' },
      ],
    },
  });
  limiter = app.get(RateLimiter);
});

afterEach(async () => {
  await app.close();
  await redis.stop();
});

it('decides without Redis as each policy says: by its share, for everybody, for nobody', async () => {
  await redis.nodes[0]?.kill();
  const results = await Promise.all(Array.from({ length: 20 }, () => limiter.consume('local', 'caller')));
  expect(results.filter(({ admitted }) => admitted)).toHaveLength(5);
  expect(new Set(results.map(({ decidedBy }) => decidedBy))).toEqual(new Set(['process']));
  expect((await limiter.consume('allow', 'caller', { cost: 1 })).admitted).toBe(true);
  expect((await limiter.consume('allow', 'caller', { cost: 1 })).admitted).toBe(true);
  const denied = await limiter.consume('deny', 'caller');
  expect([denied.admitted, denied.isOutage, denied.retryAfterMs]).toEqual([false, true, 1_000]);
});

it('decides within the deadline while Redis is frozen, and does not count that when it goes on', async () => {
  // A first decision tells what time it is there.
  await limiter.consume('local', 'somebody');
  await redis.nodes[0]?.pause();
  using time = new OwnTime();
  const results = await Promise.all(Array.from({ length: 8 }, () => limiter.consume('local', 'caller')));
  expect(time.ms).toBeLessThan(DEADLINE_MS + 40);
  expect(results.filter(({ admitted }) => admitted)).toHaveLength(5);
  await new Promise((resolve) => setTimeout(resolve, 4 * DEADLINE_MS));
  await redis.nodes[0]?.resume();
  await untilUp();
  expect((await limiter.peek('local', 'caller')).policies[0]).toMatchObject({ remaining: 10 });
});

async function untilUp(): Promise<void> {
  for (;;) {
    try {
      await limiter.peek('local', 'nobody');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

expectNoLeakedConnections();

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as common from '@nestjs/common';
import { Controller, Get, UseGuards, type INestApplication } from '@nestjs/common';
import * as core from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigurationError, RedisConnections, RedisModule, RedisUnavailableError } from '../../../src/core/index.js';
import type { RedisConnection } from '../../../src/core/index.js';
import { RedisThrottlerStorage } from '../../../src/throttler/nest-throttler/index.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  keysUnder,
  randomPrefix,
  sharedRedis,
  type SharedTopology,
} from '../../support/redis.js';
import { SILENT } from '../redis/open-redis.js';

// @nestjs/throttler requires Nest, which has ES modules only: Node can do that, Jest can from Node 24.9 on. This hands it the ones that are imported here.
jest.doMock('@nestjs/common', () => common);
jest.doMock('@nestjs/core', () => core);
const { Throttle, ThrottlerGuard, ThrottlerModule, ThrottlerStorageService } = await import('@nestjs/throttler');

expectNoLeakedConnections();

/** The machine that runs the tests is busy. */
const PATIENT = { redisDeadline: '10s' } as const;

const ADMITTED = { isBlocked: false, timeToBlockExpire: 0 };
const REFUSED = { isBlocked: true };

async function open(topology: SharedTopology, keyPrefix: string): Promise<TestingModule> {
  const module = await Test.createTestingModule({
    imports: [RedisModule.forRoot({ ...sharedRedis(topology), keyPrefix })],
  })
    .setLogger(SILENT)
    .compile();
  return module.init();
}

describeTopologies((topology) => {
  const prefix = randomPrefix();
  let modules: TestingModule[];
  let connection: RedisConnection;
  let storage: RedisThrottlerStorage;
  let elsewhere: RedisThrottlerStorage;
  let key: string;
  let keys = 0;

  beforeAll(async () => {
    modules = [await open(topology, prefix), await open(topology, prefix)];
    const connections = modules.map((module) => module.get(RedisConnections, { strict: false }).get());
    [storage, elsewhere] = connections.map((each) => new RedisThrottlerStorage(each, PATIENT)) as [
      RedisThrottlerStorage,
      RedisThrottlerStorage,
    ];
    connection = connections[0]!;
  });

  beforeEach(() => {
    keys += 1;
    key = `key-${keys}`;
  });

  afterEach(() => expectEveryKeyExpires(topology, prefix));

  afterAll(async () => {
    for (const module of modules) await module.close();
  });

  it('counts up to the limit for all processes, and answers limit + 1 beyond it', async () => {
    expect(await storage.increment(key, 60_000, 2, 60_000, 'default')).toMatchObject({ totalHits: 1, ...ADMITTED });
    expect(await elsewhere.increment(key, 60_000, 2, 60_000, 'default')).toMatchObject({ totalHits: 2, ...ADMITTED });
    expect(await storage.increment(key, 60_000, 2, 60_000, 'default')).toMatchObject({ totalHits: 3, ...REFUSED });
    expect(await elsewhere.increment(key, 60_000, 2, 60_000, 'default')).toMatchObject({ totalHits: 3, ...REFUSED });
  });

  it.each([0, 60_000])('admits exactly the limit out of many at once, with a blockDuration of %d', async (block) => {
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, i) => (i % 2 ? storage : elsewhere).increment(key, 60_000, 10, block, 'default')),
    );
    const admitted = answers.filter(({ isBlocked }) => !isBlocked);
    expect(admitted.map(({ totalHits }) => totalHits).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const refused = answers.filter(({ isBlocked }) => isBlocked);
    expect(new Set(refused.map(({ totalHits }) => totalHits))).toEqual(new Set([11]));
  });

  it('takes milliseconds and answers in seconds, rounded up', async () => {
    expect(await storage.increment(key, 59_001, 1, 29_001, 'default')).toEqual({
      totalHits: 1,
      timeToExpire: 60,
      isBlocked: false,
      timeToBlockExpire: 0,
    });
    expect(await storage.increment(key, 59_001, 1, 29_001, 'default')).toEqual({
      totalHits: 2,
      timeToExpire: 30,
      isBlocked: true,
      timeToBlockExpire: 30,
    });
  });

  it('blocks for as long as the blockDuration, and no longer for more refusals; then it begins anew', async () => {
    const increment = () => storage.increment(key, 60_000, 2, 1_500, 'default');
    await increment();
    await increment();
    expect(await increment()).toMatchObject({ ...REFUSED, timeToBlockExpire: 2, timeToExpire: 2 });
    await sleep(800);
    expect(await increment()).toMatchObject({ ...REFUSED, timeToBlockExpire: 1 });
    await sleep(900);
    expect(await increment()).toMatchObject({ totalHits: 1, ...ADMITTED });
    expect(await increment()).toMatchObject({ totalHits: 2, ...ADMITTED });
    expect(await increment()).toMatchObject(REFUSED);
  });

  it('without a blockDuration refuses until the oldest hit has left, and counts no refusal', async () => {
    const increment = () => storage.increment(key, 1_500, 2, 0, 'default');
    await increment();
    await sleep(800);
    await increment();
    for (let i = 0; i < 5; i++) {
      expect(await increment()).toMatchObject({ totalHits: 3, ...REFUSED, timeToBlockExpire: 1, timeToExpire: 2 });
    }
    await sleep(900);
    expect(await increment()).toMatchObject({ totalHits: 2, ...ADMITTED });
    expect(await increment()).toMatchObject(REFUSED);
  });

  it.each([0, 600])('decides as the storage in memory does, with a blockDuration of %d', async (block) => {
    const memory = new ThrottlerStorageService();
    for (const bursts of [2, 0, 3, 1, 4, 0, 0, 2, 2]) {
      for (let i = 0; i < bursts; i++) {
        const [theirs, ours] = await Promise.all([
          memory.increment(key, 1_000, 3, block, 'default'),
          storage.increment(key, 1_000, 3, block, 'default'),
        ]);
        expect(ours.isBlocked).toBe(theirs.isBlocked);
        if (!theirs.isBlocked) expect(ours.totalHits).toBe(theirs.totalHits);
        if (theirs.isBlocked) expect(ours.timeToBlockExpire).toBe(theirs.timeToBlockExpire);
      }
      await sleep(400);
    }
    memory.onApplicationShutdown();
  });

  it('counts apart what has another key or belongs to another throttler', async () => {
    const first = await storage.increment(key, 60_000, 1, 0, 'short');
    expect(first.isBlocked).toBe(false);
    expect((await storage.increment(key, 60_000, 1, 0, 'short')).isBlocked).toBe(true);
    expect((await storage.increment(key, 60_000, 1, 0, 'long')).isBlocked).toBe(false);
    expect((await storage.increment(`${key}:short`, 60_000, 1, 0, 'short')).isBlocked).toBe(false);
    expect((await storage.increment(`{${key}}*`, 60_000, 1, 0, 'a name: {ü}')).isBlocked).toBe(false);
  });

  it('counts on when the limit changes', async () => {
    for (let i = 0; i < 3; i++) await storage.increment(key, 60_000, 3, 0, 'default');
    expect(await storage.increment(key, 60_000, 5, 0, 'default')).toMatchObject({ totalHits: 4, ...ADMITTED });
    expect(await storage.increment(key, 60_000, 2, 0, 'default')).toMatchObject({ totalHits: 3, ...REFUSED });
  });

  it('takes limits and times that are none of a policy', async () => {
    expect(await storage.increment(key, 30_000, 0, 0, 'default')).toEqual({
      totalHits: 1,
      timeToExpire: 30,
      isBlocked: true,
      timeToBlockExpire: 30,
    });
    expect((await storage.increment(key, 0, 5, 0, 'default')).isBlocked).toBe(false);
    expect((await storage.increment(key, 0.5, 2.5, 0.5, 'default')).isBlocked).toBe(false);
    expect((await storage.increment(key, Infinity, Infinity, Infinity, 'default')).isBlocked).toBe(false);
  });

  it('takes one round trip for what arrives at once', async () => {
    await storage.increment(key, 60_000, 10, 0, 'default');
    const before = connection.counters.commands;
    await Promise.all(Array.from({ length: 8 }, () => storage.increment(key, 60_000, 10, 0, 'default')));
    expect(connection.counters.commands - before).toBe(1);
  });

  describe.each([
    ['Express', () => new ExpressAdapter()],
    ['Fastify', () => new FastifyAdapter()],
  ])("with @nestjs/throttler's guard on %s", (_name, adapter) => {
    @UseGuards(ThrottlerGuard)
    @Controller()
    class Pages {
      @Get('plain')
      plain(): string {
        return 'plain';
      }

      @Throttle({ default: { limit: 1, ttl: 60_000, blockDuration: 1_500 } })
      @Get('blocking')
      blocking(): string {
        return 'blocking';
      }
    }

    const appPrefix = `${prefix}-${_name}`;
    let apps: INestApplication[];
    let urls: string[];

    beforeAll(async () => {
      apps = [];
      for (let i = 0; i < 2; i++) {
        const module = await Test.createTestingModule({
          imports: [
            RedisModule.forRoot({ ...sharedRedis(topology), keyPrefix: appPrefix }),
            ThrottlerModule.forRootAsync({
              inject: [RedisConnections],
              useFactory: (connections: RedisConnections) => ({
                throttlers: [{ limit: 3, ttl: 60_000 }],
                storage: new RedisThrottlerStorage(connections.get(), PATIENT),
              }),
            }),
          ],
          controllers: [Pages],
        })
          .setLogger(SILENT)
          .compile();
        const app = module.createNestApplication(adapter());
        await app.listen(0, '127.0.0.1');
        apps.push(app);
      }
      urls = await Promise.all(apps.map((app) => app.getUrl()));
    });

    afterAll(async () => {
      for (const app of apps) await app.close();
    });

    const request = async (path: string, process: number): Promise<Response> => {
      const response = await fetch(`${urls[process]}/${path}`, { headers: { connection: 'close' } });
      await response.text();
      return response;
    };

    it('limits two processes together and says so in headers', async () => {
      for (const [i, process] of [0, 1, 0].entries()) {
        const response = await request('plain', process);
        expect(response.status).toBe(200);
        expect(response.headers.get('x-ratelimit-remaining')).toBe(String(2 - i));
        expect(response.headers.get('x-ratelimit-reset')).toBe('60');
      }
      const refused = await request('plain', 1);
      expect(refused.status).toBe(429);
      expect(refused.headers.get('retry-after')).toBe('60');
      await expectEveryKeyExpires(topology, appPrefix);
    });

    it('blocks, and ends the block', async () => {
      expect((await request('blocking', 0)).status).toBe(200);
      const refused = await request('blocking', 1);
      expect(refused.status).toBe(429);
      expect(refused.headers.get('retry-after')).toBe('2');
      await sleep(1_700);
      expect((await request('blocking', 0)).status).toBe(200);
    });
  });

  describe('without Redis', () => {
    it('rejects, or admits if it was told to, and counts nothing', async () => {
      const alone = `${prefix}-alone`;
      const module = await open(topology, alone);
      const away = module.get(RedisConnections, { strict: false }).get();
      await module.close();
      await expect(new RedisThrottlerStorage(away).increment(key, 1_500, 1, 0, 'default')).rejects.toBeInstanceOf(
        RedisUnavailableError,
      );
      const lenient = new RedisThrottlerStorage(away, { whenRedisIsDown: 'allow' });
      for (let i = 0; i < 3; i++) {
        expect(await lenient.increment(key, 1_500, 1, 0, 'default')).toEqual({
          totalHits: 1,
          timeToExpire: 2,
          isBlocked: false,
          timeToBlockExpire: 0,
        });
      }
      expect(await keysUnder(topology, alone)).toEqual([]);
    });

    it('refuses options that cannot be', () => {
      const make = (options: object) => () => new RedisThrottlerStorage(connection, options);
      expect(make({ whenRedisIsDown: 'local' })).toThrow(ConfigurationError);
      expect(make({ redisDeadline: '0ms' })).toThrow('RedisThrottlerStorage: redisDeadline');
    });
  });
});

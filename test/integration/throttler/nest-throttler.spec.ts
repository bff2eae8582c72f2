import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as common from '@nestjs/common';
import { Controller, Get, UseGuards, type INestApplication } from '@nestjs/common';
import * as core from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  ConfigurationError,
  RedisConnections,
  RedisModule,
  RedisReplyError,
  RedisUnavailableError,
} from '../../../src/core/index.js';
import type { RedisConnection } from '../../../src/core/index.js';
import { eventually } from '../../../src/testing/index.js';
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
import { timedConnection } from './timed-limits.js';

// @nestjs/throttler requires Nest, which has ES modules only: Node can do that, Jest can from Node 24.9 on. This hands it the ones that are imported here.
jest.doMock('@nestjs/common', () => common);
jest.doMock('@nestjs/core', () => core);
const { Throttle, ThrottlerGuard, ThrottlerModule, ThrottlerStorageService } = await import('@nestjs/throttler');

expectNoLeakedConnections();

/**
 * A storage whose time is the test's, and goes on only by `pass`: the real script on the real server, which is given the time. Blocks, which end by
 * themselves, are brought as much nearer to their end.
 */
function timedStorage(connection: RedisConnection, keysThere: () => Promise<readonly string[]>) {
  let nowMs = 1_800_000_000_000;
  const bringNearer = async (key: string, ms: number): Promise<void> => {
    const left = Number(await connection.send('PTTL', [key])) - ms;
    await (left > 0 ? connection.send('PEXPIRE', [key, left]) : connection.send('UNLINK', [key]));
  };
  return {
    storage: new RedisThrottlerStorage(timedConnection(connection, { clockUs: () => -nowMs * 1_000 }), PATIENT),
    nowMs: () => nowMs,
    pass: async (ms: number): Promise<void> => {
      nowMs += ms;
      await Promise.all((await keysThere()).map((key) => bringNearer(key, ms)));
    },
  };
}

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
    const blockMs = 400;
    const increment = () => storage.increment(key, 60_000, 2, blockMs, 'default');
    await increment();
    await increment();
    const before = performance.now();
    expect(await increment()).toMatchObject({ ...REFUSED, timeToBlockExpire: 1, timeToExpire: 1 });
    // Each attempt but the last is one more refusal.
    await eventually(async () => expect(await increment()).toMatchObject({ totalHits: 1, ...ADMITTED }));
    expect(performance.now() - before).toBeGreaterThan(blockMs - 1);
    expect(await increment()).toMatchObject({ totalHits: 2, ...ADMITTED });
    expect(await increment()).toMatchObject(REFUSED);
  });

  describe('as time passes', () => {
    const timed = () => timedStorage(connection, () => keysUnder(topology, `${prefix}:limit:nest-throttler:{${key}}`));

    it('without a blockDuration refuses until the oldest hit has left, and counts no refusal', async () => {
      const { storage: inTime, pass } = timed();
      const increment = () => inTime.increment(key, 1_500, 2, 0, 'default');
      await increment();
      await pass(800);
      await increment();
      for (let i = 0; i < 5; i++) {
        expect(await increment()).toMatchObject({ totalHits: 3, ...REFUSED, timeToBlockExpire: 1, timeToExpire: 2 });
      }
      await pass(699);
      expect(await increment()).toMatchObject(REFUSED);
      await pass(1);
      expect(await increment()).toMatchObject({ totalHits: 2, ...ADMITTED });
      expect(await increment()).toMatchObject(REFUSED);
    });

    it('keeps a block to its end, and tells how much of it is left', async () => {
      const { storage: inTime, pass } = timed();
      const increment = () => inTime.increment(key, 600_000, 1, 60_000, 'default');
      await increment();
      expect(await increment()).toMatchObject({ ...REFUSED, timeToBlockExpire: 60 });
      await pass(40_000);
      expect(await increment()).toMatchObject({ ...REFUSED, timeToBlockExpire: 20, timeToExpire: 20 });
      await pass(20_000);
      expect(await increment()).toMatchObject({ totalHits: 1, ...ADMITTED });
    });

    it.each([0, 60_000])('decides as the storage in memory does, with a blockDuration of %d', async (block) => {
      const { storage: inTime, nowMs, pass } = timed();
      const memory = new ThrottlerStorageService();
      /** It asks for the time before it gives its promise. */
      const remember = () => {
        const now = jest.spyOn(Date, 'now').mockImplementation(nowMs);
        try {
          return memory.increment(key, 100_000, 3, block, 'default');
        } finally {
          now.mockRestore();
        }
      };
      for (const bursts of [2, 0, 3, 1, 4, 0, 0, 2, 2]) {
        for (let i = 0; i < bursts; i++) {
          const theirs = await remember();
          const ours = await inTime.increment(key, 100_000, 3, block, 'default');
          expect(ours.isBlocked).toBe(theirs.isBlocked);
          if (!theirs.isBlocked) expect(ours.totalHits).toBe(theirs.totalHits);
          if (theirs.isBlocked) expect(ours.timeToBlockExpire).toBe(theirs.timeToBlockExpire);
        }
        await pass(40_000);
      }
      memory.onApplicationShutdown();
    });
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
    expect(await storage.increment(key, 0.5, 2.5, 0.5, 'default')).toMatchObject(ADMITTED);
    expect(await storage.increment(`${key}-half`, 30_000, 2.5, 0, 'default')).toMatchObject({ totalHits: 1 });
    const endless = await storage.increment(`${key}-endless`, Infinity, Infinity, Infinity, 'default');
    expect(endless).toMatchObject({ totalHits: 1, ...ADMITTED });
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

      @Throttle({ default: { limit: 1, ttl: 60_000, blockDuration: 400 } })
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
      expect(refused.headers.get('retry-after')).toBe('1');
      await eventually(async () => expect((await request('blocking', 0)).status).toBe(200));
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

    it('does the same where Redis refuses', async () => {
      const refusal = new RedisReplyError('EVALSHA', 'NOPERM', undefined);
      const scripts = { run: () => Promise.reject(refusal) };
      const refusing = { name: 'default', keyPrefix: prefix, groupOf: () => 0, scripts } as unknown as RedisConnection;
      await expect(new RedisThrottlerStorage(refusing).increment(key, 1_500, 1, 0, 'default')).rejects.toBe(refusal);
      const lenient = new RedisThrottlerStorage(refusing, { whenRedisIsDown: 'allow' });
      expect(await lenient.increment(key, 1_500, 1, 0, 'default')).toMatchObject({ totalHits: 1, ...ADMITTED });
    });

    it('refuses options that cannot be', () => {
      const make = (options: object) => () => new RedisThrottlerStorage(connection, options);
      expect(make({ whenRedisIsDown: 'local' })).toThrow(ConfigurationError);
      expect(make({ redisDeadline: '0ms' })).toThrow('RedisThrottlerStorage: redisDeadline');
    });
  });
});

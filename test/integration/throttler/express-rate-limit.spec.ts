import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, NotFoundException, type INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test, type TestingModule } from '@nestjs/testing';
import { rateLimit, type Options } from 'express-rate-limit';
import {
  ConfigurationError,
  RedisConnections,
  RedisModule,
  RedisReplyError,
  RedisUnavailableError,
  type RedisConnection,
} from '../../../src/core/index.js';
import { eventually } from '../../../src/testing/index.js';
import { RateLimitUsageError } from '../../../src/throttler/throttler.errors.js';
import { RedisRateLimitStore } from '../../../src/throttler/express-rate-limit/index.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  keysUnder,
  randomPrefix,
  sharedRedis,
} from '../../support/redis.js';
import { SILENT } from '../redis/open-redis.js';

expectNoLeakedConnections();

@Controller()
class Pages {
  @Get('found')
  found(): string {
    return 'found';
  }

  @Get('missing')
  missing(): never {
    throw new NotFoundException();
  }
}

describeTopologies((topology) => {
  const prefix = randomPrefix();
  let apps: INestApplication[];
  let connections: RedisConnection[];
  let key: string;
  let keys = 0;

  async function open(keyPrefix: string): Promise<TestingModule> {
    return Test.createTestingModule({
      imports: [RedisModule.forRoot({ ...sharedRedis(topology), keyPrefix })],
      controllers: [Pages],
    })
      .setLogger(SILENT)
      .compile();
  }

  function newStore(windowMs = 60_000, connection = 0, limiter = 'test'): RedisRateLimitStore {
    // The machine that runs the tests is busy.
    const store = new RedisRateLimitStore(connections[connection]!, { prefix: limiter, redisDeadline: '10s' });
    store.init({ windowMs });
    return store;
  }

  beforeAll(async () => {
    apps = [];
    for (let i = 0; i < 2; i++) {
      apps.push(await (await open(prefix)).createNestApplication(new ExpressAdapter()).init());
    }
    connections = apps.map((app) => app.get(RedisConnections, { strict: false }).get());
  });

  beforeEach(() => {
    keys += 1;
    key = `key-${keys}`;
  });

  afterEach(() => expectEveryKeyExpires(topology, prefix));

  afterAll(async () => {
    for (const app of apps) await app.close();
  });

  it('counts every hit for all processes, in a window that begins with the first', async () => {
    const [here, there] = [newStore(), newStore(60_000, 1)];
    const before = Date.now();
    const first = await here.increment(key);
    expect(first.totalHits).toBe(1);
    expect(Math.abs(first.resetTime!.getTime() - before - 60_000)).toBeLessThan(5_000);
    await sleep(1_000);
    const second = await there.increment(key);
    expect(second.totalHits).toBe(2);
    expect(Math.abs(second.resetTime!.getTime() - first.resetTime!.getTime())).toBeLessThan(900);
  });

  it('loses no hit out of many at once', async () => {
    const stores = [newStore(), newStore(60_000, 1)];
    const counted = await Promise.all(Array.from({ length: 500 }, (_, i) => stores[i % 2]!.increment(key)));
    const hits = counted.map(({ totalHits }) => totalHits).sort((a, b) => a - b);
    expect(hits).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
    expect(hits.filter((each) => each <= 10)).toHaveLength(10);
  });

  it('begins anew when the window is over', async () => {
    const store = newStore(700);
    await store.increment(key);
    await store.increment(key);
    await sleep(800);
    expect(await store.get(key)).toBeUndefined();
    expect((await store.increment(key)).totalHits).toBe(1);
  });

  it('takes hits back, and never below none', async () => {
    const store = newStore();
    await store.increment(key);
    await store.increment(key);
    await store.decrement(key);
    expect((await store.get(key))?.totalHits).toBe(1);
    for (let i = 0; i < 3; i++) await store.decrement(key);
    expect(await store.get(key)).toBeUndefined();
    expect((await store.increment(key)).totalHits).toBe(1);
  });

  it('tells the hits of a key without counting one', async () => {
    const store = newStore();
    expect(await store.get(key)).toBeUndefined();
    const { resetTime } = await store.increment(key);
    for (let i = 0; i < 3; i++) {
      const counted = await store.get(key);
      expect(counted?.totalHits).toBe(1);
      expect(Math.abs(counted!.resetTime!.getTime() - resetTime!.getTime())).toBeLessThan(5_000);
    }
  });

  it('forgets one key, or all of its prefix and no other', async () => {
    const store = newStore(60_000, 0, `${key}-own`);
    const other = newStore(60_000, 0, `${key}-own-too`);
    const names = Array.from({ length: 50 }, (_, i) => `${key}-${i}`);
    await Promise.all([...names, key].flatMap((name) => [store.increment(name), other.increment(name)]));
    await store.resetKey(key);
    expect(await store.get(key)).toBeUndefined();
    expect((await store.get(names[0]!))?.totalHits).toBe(1);
    await store.resetAll();
    expect(await Promise.all(names.map((name) => store.get(name)))).toEqual(names.map(() => undefined));
    const left = await Promise.all([...names, key].map((name) => other.get(name)));
    expect(left.map((each) => each?.totalHits)).toEqual(left.map(() => 1));
  });

  it('takes any string as a key', async () => {
    const store = newStore();
    for (const name of ['', ' ', ':', '{a}', '*', '::1', 'ü', '\ud800', 'x'.repeat(10_000)]) {
      expect((await store.increment(name)).totalHits).toBe(1);
      expect((await store.get(name))?.totalHits).toBe(1);
    }
  });

  it('takes one round trip for each call', async () => {
    const store = newStore();
    await store.increment(key);
    const { counters } = connections[0]!;
    const calls = [
      () => store.increment(key),
      () => store.get(key),
      () => store.decrement(key),
      () => store.resetKey(key),
    ];
    for (const call of calls) {
      const before = counters.commands;
      await call();
      expect(counters.commands - before).toBe(1);
    }
  });

  it('needs a window, and one that can be', async () => {
    const store = new RedisRateLimitStore(connections[0]!);
    await expect(store.increment(key)).rejects.toBeInstanceOf(RateLimitUsageError);
    await expect(store.decrement(key)).rejects.toBeInstanceOf(RateLimitUsageError);
    expect(() => store.init({ windowMs: 0 })).toThrow(ConfigurationError);
    expect(() => store.init({ windowMs: NaN })).toThrow(ConfigurationError);
    expect(() => new RedisRateLimitStore(connections[0]!, { prefix: '' })).toThrow(ConfigurationError);
    store.init({ windowMs: 10 * 366 * 86_400_000 });
  });

  it('without Redis rejects, but for what is given back', async () => {
    const alone = `${prefix}-alone`;
    const module = await (await open(alone)).init();
    const store = new RedisRateLimitStore(module.get(RedisConnections, { strict: false }).get());
    store.init({ windowMs: 60_000 });
    await module.close();
    for (const call of [store.increment(key), store.get(key), store.resetKey(key), store.resetAll()]) {
      await expect(call).rejects.toBeInstanceOf(RedisUnavailableError);
    }
    await store.decrement(key);
    expect(await keysUnder(topology, alone)).toEqual([]);
  });

  it('does not fail a request that Redis refuses to take a hit back for, and fails one whose hit it refuses to count', async () => {
    const refusal = new RedisReplyError('EVALSHA', 'NOPERM', undefined);
    const scripts = { run: () => Promise.reject(refusal) };
    const refusing = { name: 'default', keyPrefix: prefix, groupOf: () => 0, scripts } as unknown as RedisConnection;
    const store = new RedisRateLimitStore(refusing);
    store.init({ windowMs: 60_000 });
    await expect(store.decrement(key)).resolves.toBeUndefined();
    await expect(store.increment(key)).rejects.toBe(refusal);
  });

  describe("with express-rate-limit's middleware", () => {
    const open: INestApplication[] = [];
    let errors: unknown[];

    afterEach(async () => {
      for (const app of open.splice(0)) await app.close();
      expect(errors).toEqual([]);
    });

    /** Two processes that have the same limiter. */
    async function serve(options: Partial<Options>): Promise<(path: string, process?: number) => Promise<Response>> {
      const logger = { error: (error: unknown) => errors.push(error), warn: (error: unknown) => errors.push(error) };
      errors = [];
      const urls: string[] = [];
      for (let i = 0; i < 2; i++) {
        const app = (await openModule()).createNestApplication(new ExpressAdapter());
        const store = newStore(60_000, i, key);
        app.use(rateLimit({ windowMs: 60_000, limit: 10, standardHeaders: 'draft-7', logger, ...options, store }));
        await app.listen(0, '127.0.0.1');
        open.push(app);
        urls.push(await app.getUrl());
      }
      return async (path, process = 0) => {
        const response = await fetch(`${urls[process]}/${path}`, { headers: { connection: 'close' } });
        await response.text();
        return response;
      };
    }

    async function openModule(): Promise<TestingModule> {
      return Test.createTestingModule({ controllers: [Pages] })
        .setLogger(SILENT)
        .compile();
    }

    it('admits exactly the limit out of many requests at once to two processes', async () => {
      const request = await serve({});
      const responses = await Promise.all(Array.from({ length: 100 }, (_, i) => request('found', i % 2)));
      expect(responses.filter(({ status }) => status === 200)).toHaveLength(10);
      expect(responses.filter(({ status }) => status === 429)).toHaveLength(90);
      const refused = await request('found');
      expect(refused.headers.get('ratelimit')).toMatch(/^limit=10, remaining=0, reset=(5\d|60)$/);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
    });

    it('does not count failed requests where it is told so', async () => {
      const request = await serve({ limit: 2, skipFailedRequests: true });
      for (let i = 0; i < 4; i++) {
        expect((await request('missing', i % 2)).status).toBe(404);
        await eventually(async () => expect(await newStore(60_000, 0, key).get('127.0.0.1')).toBeUndefined());
      }
      expect((await request('found')).status).toBe(200);
      expect((await request('found', 1)).status).toBe(200);
      expect((await request('found')).status).toBe(429);
    });
  });
});

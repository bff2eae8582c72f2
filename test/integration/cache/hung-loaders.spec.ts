import { afterEach, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { TestingModule } from '@nestjs/testing';
import { CacheModule, CacheService } from '../../../src/cache/index.js';
import type { Duration } from '../../../src/core/time/duration.js';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import { eventually, FakeClock } from '../../../src/testing/index.js';
import { cacheApp } from '../../support/cache-app.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';

expectNoLeakedConnections();

const never = (): Promise<string> => new Promise(() => undefined);

describeTopologies((topology) => {
  let app: TestingModule;
  let otherProcess: TestingModule;
  let cache: CacheService;
  let others: CacheService;
  const clock = new FakeClock(Date.now());

  let prefix: string;
  async function start(lease: Duration = '100ms'): Promise<void> {
    prefix = randomPrefix();
    const options = { redis: sharedRedis(topology), prefix, cache: { lease }, clock };
    app = await cacheApp(options);
    otherProcess = await cacheApp(options);
    cache = app.get(CacheService);
    others = otherProcess.get(CacheService);
  }
  afterEach(async () => {
    await app.close();
    await otherProcess.close();
  });

  it('holds nobody up who came later, in this process or another', async () => {
    await start();
    void cache.getOrSet('key', never);
    await eventually(() => expect(cache.counters.loads).toBe(1));
    const joined = cache.getOrSet('key', () => 'loaded');
    const waiting = others.getOrSet('key', () => 'loaded');
    expect(await Promise.all([joined, waiting])).toEqual(['loaded', 'loaded']);
    expect(await cache.getOrSet('key', () => 'again')).toBe('loaded');
  });

  it('does not stop refreshes for good', async () => {
    await start();
    const options = { ttl: '1s', staleWhileRevalidate: '10m' } as const;
    expect(await cache.set('key', 'stale', options)).toBe(true);
    await clock.advance('2s');
    expect(await cache.getOrSet('key', never, options)).toBe('stale');
    await eventually(() => expect(cache.counters.refreshes).toBe(1));
    // Its lease runs out in Redis, by Redis's own time.
    await clock.advance('10s');
    await eventually(async () => expect(await cache.getOrSet('key', () => 'fresh', options)).toBe('fresh'), {
      within: '10s',
    });
  });

  it('keeps no request waiting at a shutdown', async () => {
    await start('1m');
    @Controller()
    class Requests {
      constructor(private readonly cached: CacheService) {}

      @Get()
      get(): Promise<string> {
        return this.cached.getOrSet('key', () => 'own');
      }
    }
    const imports = [RedisModule.forRoot({ ...sharedRedis(topology), keyPrefix: prefix }), CacheModule.forRoot({})];
    const service = await NestFactory.create(
      { module: class Service {}, imports, controllers: [Requests] },
      { logger: false },
    );
    await service.listen(0, '127.0.0.1');
    let finish: (value: string) => void = () => undefined;
    const held = others.getOrSet('key', () => new Promise<string>((resolve) => (finish = resolve)));
    await eventually(() => expect(others.counters.loads).toBe(1));
    const answered = fetch(await service.getUrl());
    await eventually(() => expect(service.get(CacheService).counters.waits).toBe(1));
    // The server waits for its requests before the connections to Redis end.
    await Promise.all([service.close(), answered]);
    expect(await (await answered).text()).toBe('own');
    finish('theirs');
    expect(await held).toBe('theirs');
  });
});

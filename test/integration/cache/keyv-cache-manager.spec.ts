import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CACHE_MANAGER, CacheInterceptor, CacheModule as NestCacheModule, CacheTTL } from '@nestjs/cache-manager';
import { Controller, Get, Param, UseInterceptors, type DynamicModule, type INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModule } from '@nestjs/testing';
import type { Cache as CacheManager } from 'cache-manager';
import { Keyv } from 'keyv';
import { CacheModule, CacheService } from '../../../src/cache/index.js';
import { createKeyv } from '../../../src/cache/keyv/index.js';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import { eventually } from '../../../src/testing/index.js';
import { cacheApp } from '../../support/cache-app.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';

expectNoLeakedConnections();

/** As an application of @nestjs/cache-manager has it, with the one line changed. */
const cacheManagerModule = (): DynamicModule =>
  NestCacheModule.registerAsync({
    isGlobal: true,
    inject: [CacheService],
    useFactory: (cache: CacheService) => ({ stores: [createKeyv(cache, { namespace: 'nest' })], ttl: 60_000 }),
  });

describeTopologies((topology) => {
  const prefix = randomPrefix();
  let apps: TestingModule[];
  let manager: CacheManager;
  let elsewhere: CacheManager;
  let key: string;
  let keys = 0;

  beforeAll(async () => {
    const options = { redis: sharedRedis(topology), prefix };
    apps = [
      await cacheApp({ ...options, imports: [cacheManagerModule()] }),
      await cacheApp({ ...options, imports: [cacheManagerModule()] }),
    ];
    [manager, elsewhere] = apps.map((app) => app.get<CacheManager>(CACHE_MANAGER)) as [CacheManager, CacheManager];
  });

  beforeEach(() => {
    keys += 1;
    key = `key-${keys}`;
  });

  afterAll(async () => {
    for (const app of apps) await app.close();
  });

  it('shares what wrap() loaded between processes', async () => {
    const load = jest.fn(async () => ({ id: 1 }));
    expect(await manager.wrap(key, load)).toEqual({ id: 1 });
    expect(await elsewhere.wrap(key, load)).toEqual({ id: 1 });
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('knows the end of an entry, so that wrap() refreshes it in time', async () => {
    await manager.set(key, 'old', 10_000);
    expect(await elsewhere.ttl(key)).toBeGreaterThan(Date.now());
    expect(await elsewhere.wrap(key, async () => 'new', { ttl: 60_000, refreshThreshold: 20_000 })).toBe('old');
    await eventually(async () => expect(await manager.get(key)).toBe('new'));
  });

  it('reads, writes and deletes many', async () => {
    await manager.mset([
      { key: `${key}-a`, value: 1 },
      { key: `${key}-b`, value: 2 },
    ]);
    expect(await elsewhere.mget([`${key}-a`, `${key}-c`, `${key}-b`])).toEqual([1, undefined, 2]);
    expect(await elsewhere.mdel([`${key}-a`, `${key}-b`])).toBe(true);
    expect(await manager.mget([`${key}-a`, `${key}-b`])).toEqual([undefined, undefined]);
  });

  it('clears its own entries and leaves the rest of the cache alone', async () => {
    const cache = apps[0]?.get(CacheService);
    await cache?.set(key, 'own');
    await manager.set(key, 'theirs');
    await manager.clear();
    expect(await elsewhere.get(key)).toBeUndefined();
    expect(await cache?.get(key)).toBe('own');
  });

  it('is a second tier behind a Keyv in memory', async () => {
    const cache = apps[0]?.get(CacheService) as CacheService;
    const app = await Test.createTestingModule({
      imports: [NestCacheModule.register({ stores: [new Keyv(), createKeyv(cache, { namespace: 'nest' })] })],
    }).compile();
    const tiered = app.get<CacheManager>(CACHE_MANAGER);
    await manager.set(key, 'value');
    expect(await tiered.get(key)).toBe('value');
    await tiered.set(key, 'newer');
    expect(await manager.get(key)).toBe('newer');
    await app.close();
  });
});

let handled = 0;

@Controller('lamps')
@UseInterceptors(CacheInterceptor)
class LampsController {
  @Get(':id')
  @CacheTTL(30_000)
  find(@Param('id') id: string): { id: string } {
    handled += 1;
    return { id };
  }
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])("Nest's CacheInterceptor on %s", (_name, createAdapter) => {
  let app: INestApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [
        RedisModule.forRoot({ ...sharedRedis('standalone'), keyPrefix: randomPrefix() }),
        CacheModule.forRoot({ redisDeadline: '5s' }),
        cacheManagerModule(),
      ],
      controllers: [LampsController],
    }).compile();
    app = module.createNestApplication(createAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
  });

  afterAll(() => app.close());

  it('answers the second request from the cache', async () => {
    handled = 0;
    const get = async (): Promise<unknown> => (await fetch(`${await app.getUrl()}/lamps/1?page=1`)).json();
    expect(await get()).toEqual({ id: '1' });
    await eventually(async () =>
      expect(await app.get(CacheService).segment('nest').get('/lamps/1?page=1')).toBeDefined(),
    );
    expect(await get()).toEqual({ id: '1' });
    expect(handled).toBe(1);
  });
});

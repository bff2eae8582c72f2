import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  Cacheable,
  CacheEvict,
  CacheModule,
  CachePut,
  CacheService,
  InjectCache,
  type Cache,
} from '../../../src/cache/index.js';
import { ConfigurationError } from '../../../src/core/errors/configuration.error.js';
import { eventually } from '../../../src/testing/index.js';
import { cacheApp } from '../../support/cache-app.js';
import { expectNoLeakedConnections } from '../../support/redis.js';

expectNoLeakedConnections();

@Injectable()
class Products {
  loads = 0;

  constructor(@InjectCache('products') readonly cache: Cache<string>) {}

  @Cacheable({ cache: 'products', key: (id: number) => id })
  async find(id: number): Promise<string> {
    this.loads += 1;
    return `product ${id}`;
  }

  @CachePut({ cache: 'products', key: (id: number) => id })
  async save(_id: number, name: string): Promise<string> {
    return name;
  }

  @CacheEvict({ cache: 'products', key: (id: number) => id })
  async remove(_id: number): Promise<void> {}
}

describe("CacheModule with store: 'memory'", () => {
  let app: TestingModule;

  beforeAll(async () => {
    // As an application without Redis writes it: no other module, no clock of its own.
    app = await Test.createTestingModule({
      imports: [CacheModule.forRoot({ store: 'memory' }), CacheModule.forFeature({ name: 'products' })],
      providers: [Products],
    }).compile();
    await app.init();
  });

  afterAll(() => app.close());

  it('works without a RedisModule, decorators included', async () => {
    const products = app.get(Products);
    expect([await products.find(1), await products.find(1)]).toEqual(['product 1', 'product 1']);
    expect(products.loads).toBe(1);
    await products.save(1, 'saved');
    expect(await products.find(1)).toBe('saved');
    await products.remove(1);
    expect(await products.cache.get(1)).toBeUndefined();
  });

  it('opens no connection', async () => {
    const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
    const before = sockets();
    const other = await cacheApp({ redis: null });
    await other.get(CacheService).getOrSet('key', () => 1);
    expect(sockets()).toBe(before);
    await other.close();
  });

  it('forgets entries when their time is over, by the clock of the machine', async () => {
    const cache = app.get(CacheService);
    await cache.set('short', 1, { ttl: '30ms' });
    expect(await cache.get('short')).toBe(1);
    await eventually(async () => expect(await cache.get('short')).toBeUndefined());
  });

  it('keeps caches of one application apart, and those of two', async () => {
    const [one, other] = [app.get(CacheService), await cacheApp({ redis: null })];
    await one.set('apart', 1);
    expect(await other.get(CacheService).get('apart')).toBeUndefined();
    expect(await one.named('products').get('apart')).toBeUndefined();
    await other.close();
  });

  it('runs one load for a hundred callers', async () => {
    const load = jest.fn(async () => null);
    const cache = app.get(CacheService);
    const found = await Promise.all(Array.from({ length: 100 }, () => cache.getOrSet('cold', load)));
    expect(found).toEqual(Array(100).fill(null));
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('lets a load that is under way end while the application closes', async () => {
    const closing = await cacheApp({ redis: null });
    let finish: (value: string) => void = () => undefined;
    const load = jest.fn(() => new Promise<string>((resolve) => (finish = resolve)));
    const caller = closing.get(CacheService).getOrSet('key', load);
    await eventually(() => expect(load).toHaveBeenCalledTimes(1));
    const closed = closing.close();
    finish('value');
    expect(await caller).toBe('value');
    await closed;
  });
});

describe('CacheModule without a RedisModule', () => {
  it('fails at boot, and says what to import, or that it can do without', async () => {
    const booting = Test.createTestingModule({ imports: [CacheModule.forRoot({})] }).compile();
    await expect(booting).rejects.toBeInstanceOf(ConfigurationError);
    await expect(booting).rejects.toThrow(/RedisModule\.forRoot\(.*store: 'memory'/s);
  });
});

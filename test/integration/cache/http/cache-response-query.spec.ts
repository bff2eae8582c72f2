import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Req } from '@nestjs/common';
import type { ExpressAdapter } from '@nestjs/platform-express';
import { CacheResponse, CacheService, responseKey } from '../../../../src/cache/index.js';
import { expectNoLeakedConnections } from '../../../support/redis.js';
import { pageApp, type AdapterName, type PageApp } from './page-app.js';

expectNoLeakedConnections();

@Controller('products')
class ProductsController {
  @CacheResponse({ query: ['brand'] })
  @Get('listed')
  listed(@Req() { query }: { query: Record<string, unknown> }): unknown {
    return { names: Object.keys(query), brand: query['brand'] };
  }

  @CacheResponse()
  @Get('all')
  all(@Req() { query }: { query: Record<string, unknown> }): unknown {
    return { names: Object.keys(query), brand: query['brand'] };
  }

  @CacheResponse({ query: [] })
  @Get('none')
  none(@Req() { query }: { query: Record<string, unknown> }): unknown {
    return { names: Object.keys(query) };
  }
}

const MANY = Array.from({ length: 1_000 }, (_, i) => `p${i}=1`).join('&');

/** Queries that a second parser could read in another way than the adapter's. */
const QUERIES = [
  'brand=apple',
  'x=#&brand=apple',
  '#?brand=apple',
  `${MANY}&brand=apple`,
  '[brand]=evil',
  '%5Bbrand%5D=evil',
  'brand%3Dx=evil',
  'brand%3Dapple',
  '.brand=evil',
  'brand[]=apple',
  'brand[0]=apple',
  'brand%5B%5D=apple',
  'brand=x&[brand]=y',
  '[brand]=y&brand=x',
  'a=brand]=evil',
  'brand',
  'brand=',
  'brand=apple&brand=apple',
  'brand=apple%2Capple',
  '__proto__=evil&brand=apple',
  '__proto__[brand]=apple',
  'br%61nd=apple',
];

describe.each<[AdapterName, 'simple' | 'extended']>([
  ['Express', 'simple'],
  ['Express', 'extended'],
  ['Fastify', 'simple'],
])('the query of @CacheResponse on %s, parser %s', (adapter, parser) => {
  let pages: PageApp;

  beforeAll(async () => {
    pages = await pageApp({
      adapter,
      controllers: [ProductsController],
      configure: (app) => {
        if (adapter === 'Express') (app.getHttpAdapter() as ExpressAdapter).set('query parser', parser);
      },
    });
  });
  afterAll(() => pages.app.close());

  it.each(['listed', 'all'])('gives each request what the handler would give it: %s', async (route) => {
    const brandOf = (body: string): unknown => (JSON.parse(body) as { brand?: unknown }).brand;
    const direct = new Map<string, unknown>();
    for (const query of QUERIES) {
      // An authenticated request passes the cache by.
      const body = await pages.body(`/products/${route}?${query}`, { cookie: 'a=b' });
      direct.set(query, brandOf(body));
    }
    for (const query of [...QUERIES, ...QUERIES.toReversed()]) {
      const seen = brandOf(await pages.body(`/products/${route}?${query}`));
      expect({ query: query.slice(-40), brand: seen }).toEqual({ query: query.slice(-40), brand: direct.get(query) });
    }
  });

  it('hides from the handler whatever is not listed, however it is spelt', async () => {
    for (const query of QUERIES) {
      expect(await pages.body(`/products/none?${query}`)).toBe('{"names":[]}');
    }
    const { names } = JSON.parse(await pages.body('/products/listed?brand%3Dx=evil&page=2')) as { names: string[] };
    expect(names).toEqual([]);
  });

  it.each(['listed', 'all'])('evicts by the address, however the client spelt it: %s', async (route) => {
    const cache = pages.app.get(CacheService);
    const path = `/products/${route}`;
    for (const query of ['brand=L%27Or%C3%A9al', "brand=L'Or%c3%a9al", 'brand=a&brand=b+c', 'brand=a&brand=b%20c']) {
      await pages.get(`${path}?${query}`);
      expect((await pages.get(`${path}?${query}`)).cache).toBe('hit');
      await cache.delete(responseKey(`${path}?${query}`));
      expect((await pages.get(`${path}?${query}`)).cache).toBe('miss');
    }
  });
});

it('passes a query by that no key can hold', async () => {
  const { app, get } = await pageApp({
    adapter: 'Express',
    controllers: [ProductsController],
    configure: (nest) =>
      (nest.getHttpAdapter() as ExpressAdapter).set('query parser', (text: string) => new URLSearchParams(text)),
  });
  try {
    expect((await get('/products/all?brand=apple')).cache).toBe('bypass');
    expect((await get('/products/all?brand=apple')).cache).toBe('bypass');
  } finally {
    await app.close();
  }
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, NotFoundException, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CacheResponse, CacheService, responseKey } from '../../../../src/cache/index.js';
import { eventually } from '../../../../src/testing/index.js';
import { expectNoLeakedConnections } from '../../../support/redis.js';
import { ADAPTERS, pageApp, type PageApp } from './page-app.js';

expectNoLeakedConnections();

const NO_CACHE = { 'cache-control': 'no-cache' };

let runs = 0;
let arrived = 0;
let isMissing = false;
let isFailing = false;
/** What the handler shows: read when it begins. */
let source = 'old';
let release: (() => void)[] = [];
let holds = false;

const held = (): Promise<void> =>
  holds ? new Promise((resolve) => void release.push(resolve)) : new Promise((resolve) => setImmediate(resolve));
const letGo = (): void => {
  holds = false;
  for (const go of release.splice(0)) go();
};

@Controller('pages')
class PagesController {
  constructor(private readonly host: HttpAdapterHost) {}

  @CacheResponse({ ttl: '50ms', staleWhileRevalidate: '1m' })
  @Get('stale')
  async stale(@Res({ passthrough: true }) response: object): Promise<unknown> {
    runs += 1;
    if (!isMissing) return { run: runs };
    await held();
    this.host.httpAdapter.status(response, 404);
    return { error: 'gone' };
  }

  @CacheResponse({ ttl: '50ms', staleWhileRevalidate: '1m' })
  @Get('early')
  async early(@Res({ passthrough: true }) response: object): Promise<unknown> {
    runs += 1;
    if (!isMissing) return { run: runs };
    this.host.httpAdapter.status(response, 404);
    await held();
    return { error: 'gone' };
  }

  @CacheResponse({ allowClientRefresh: true, tags: ['pages'] })
  @Get('refresh')
  async refresh(): Promise<unknown> {
    runs += 1;
    const seen = source;
    await held();
    if (isFailing) throw new NotFoundException();
    return { source: seen, run: runs };
  }
}

describe.each(ADAPTERS)('a refresh of @CacheResponse on %s', (adapter) => {
  let pages: PageApp;
  let cache: CacheService;
  const get: PageApp['get'] = (...args) => pages.get(...args);

  beforeEach(async () => {
    runs = 0;
    source = 'old';
    isMissing = false;
    isFailing = false;
    holds = false;
    release = [];
    arrived = 0;
    pages = await pageApp({
      adapter,
      controllers: [PagesController],
      configure: (app) =>
        app.use((_request: unknown, _response: unknown, next: () => void) => {
          arrived += 1;
          next();
        }),
    });
    cache = pages.app.get(CacheService);
  });
  afterEach(async () => {
    letGo();
    await pages.app.close();
  });

  describe('in the background', () => {
    it.each([
      ['at once', false],
      ['after the stale answer was sent', true],
    ])('never keeps what the handler gave with another status, set %s', async (_when, isHeld) => {
      await get('/pages/stale');
      await new Promise((resolve) => setTimeout(resolve, 60));
      isMissing = true;
      holds = isHeld;
      expect((await get('/pages/stale')).body).toBe('{"run":1}');
      await eventually(() => expect(runs).toBe(2));
      letGo();
      for (let i = 0; i < 10; i++) {
        const { status, body } = await get('/pages/stale');
        if (status === 200) expect(body).toBe('{"run":1}');
      }
    });
  });

  it('in the background never keeps what the handler gave with a status set before the stale answer was sent', async () => {
    const alone = await pageApp({ adapter, controllers: [PagesController], store: 'memory' });
    try {
      await alone.get('/pages/early');
      await new Promise((resolve) => setTimeout(resolve, 60));
      isMissing = true;
      holds = true;
      expect(await alone.get('/pages/early')).toMatchObject({ status: 200, body: '{"run":1}' });
      await eventually(() => expect(runs).toBe(2));
      letGo();
      for (let i = 0; i < 10; i++) {
        const { status, body } = await alone.get('/pages/early');
        if (status === 200) expect(body).toBe('{"run":1}');
      }
    } finally {
      await alone.app.close();
    }
  });

  describe('that a client asks for', () => {
    it.each([
      ['invalidateTags', () => cache.invalidateTags(['pages'])],
      ['delete', () => cache.delete(responseKey('/pages/refresh'))],
    ])('brings nothing back that %s ended meanwhile', async (_name, invalidate) => {
      await get('/pages/refresh');
      holds = true;
      const refreshing = get('/pages/refresh', NO_CACHE);
      await eventually(() => expect(runs).toBe(2));
      source = 'new';
      await invalidate();
      letGo();
      await refreshing;
      expect((await get('/pages/refresh')).body).toContain('"new"');
    });

    it('brings nothing to those who asked for one too, after the invalidation', async () => {
      for (const invalidate of [
        () => cache.invalidateTags(['pages']),
        () => cache.delete(responseKey('/pages/refresh')),
      ]) {
        runs = 0;
        source = 'old';
        holds = true;
        const refreshing = get('/pages/refresh', NO_CACHE);
        await eventually(() => expect(runs).toBe(1));
        source = 'new';
        await invalidate();
        const later = get('/pages/refresh', NO_CACHE);
        letGo();
        await refreshing;
        expect((await later).body).toContain('"new"');
      }
    });

    it('runs the handler once for all who ask for it while it runs, after it has', async () => {
      await get('/pages/refresh');
      holds = true;
      const first = get('/pages/refresh', NO_CACHE);
      await eventually(() => expect(runs).toBe(2));
      const later = Array.from({ length: 20 }, () => get('/pages/refresh', NO_CACHE));
      await eventually(() => expect(arrived).toBe(22));
      // What is there is for others meanwhile; and Redis has answered those who came before.
      expect(await get('/pages/refresh')).toMatchObject({ cache: 'hit' });
      source = 'new';
      letGo();
      expect((await first).body).toBe('{"source":"old","run":2}');
      const seen = await Promise.all(later);
      expect(new Set(seen.map(({ body }) => body))).toEqual(new Set(['{"source":"new","run":3}']));
      expect(runs).toBe(3);
    });

    it('runs the handler once for all who find nothing', async () => {
      holds = true;
      const first = get('/pages/refresh', NO_CACHE);
      await eventually(() => expect(runs).toBe(1));
      const others = Array.from({ length: 5 }, () => get('/pages/refresh'));
      await eventually(() => expect(arrived).toBe(6));
      letGo();
      const seen = await Promise.all([first, ...others]);
      expect(new Set(seen.map(({ body }) => body))).toEqual(new Set(['{"source":"old","run":1}']));
    });

    it('leaves the answer to others when the handler fails', async () => {
      await get('/pages/refresh');
      isFailing = true;
      expect((await get('/pages/refresh', NO_CACHE)).status).toBe(404);
      expect(await get('/pages/refresh')).toMatchObject({ cache: 'hit', status: 200 });
    });

    it('has its answer kept', async () => {
      expect((await get('/pages/refresh', NO_CACHE)).cache).toBe('miss');
      expect((await get('/pages/refresh')).body).toBe('{"source":"old","run":1}');
      expect(await get('/pages/refresh', NO_CACHE)).toMatchObject({ cache: 'miss', body: '{"source":"old","run":2}' });
      await eventually(async () =>
        expect(await get('/pages/refresh')).toMatchObject({ cache: 'hit', body: '{"source":"old","run":2}' }),
      );
    });
  });
});

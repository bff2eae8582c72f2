import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  All,
  Controller,
  Get,
  Head,
  Header,
  HttpCode,
  NotFoundException,
  Param,
  ParseIntPipe,
  Query,
  Redirect,
  Req,
  Res,
  ServiceUnavailableException,
  Sse,
  StreamableFile,
  Version,
  VersioningType,
  type ExecutionContext,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { of, type Observable } from 'rxjs';
import { CacheResponse, CacheService, responseKey } from '../../../../src/cache/index.js';
import { eventually } from '../../../../src/testing/index.js';
import { expectEveryKeyExpires, expectNoLeakedConnections, randomPrefix } from '../../../support/redis.js';
import { ADAPTERS, pageApp, type PageApp } from './page-app.js';

expectNoLeakedConnections();

/** How often each handler ran. */
const runs = new Map<string, number>();
const ran = (name: string): number => {
  const count = (runs.get(name) ?? 0) + 1;
  runs.set(name, count);
  return count;
};

interface Asking {
  readonly user?: { readonly id: string };
  readonly method: string;
  readonly query: Record<string, unknown>;
  readonly headers: Record<string, string | undefined>;
}

const userOf = (context: ExecutionContext): string | undefined =>
  context.switchToHttp().getRequest<Asking>().headers['x-user'];

@Controller('pages')
class PagesController {
  constructor(private readonly host: HttpAdapterHost) {}

  @CacheResponse({ ttl: '1m' })
  @Get('json')
  json(@Query() query: Record<string, unknown>): unknown {
    return { run: ran('json'), query, text: 'größer <&>', at: new Date(0) };
  }

  @CacheResponse()
  @Get('items/:id')
  item(@Param('id', ParseIntPipe) id: number): unknown {
    return { id, run: ran('item') };
  }

  @Get('bare-json')
  bareJson(): unknown {
    return { text: 'größer <&>', at: new Date(0), none: undefined, list: [1, null] };
  }
  @CacheResponse()
  @Get('kept-json')
  keptJson(): unknown {
    return this.bareJson();
  }

  @Get('bare-text')
  bareText(): string {
    return 'größer';
  }
  @CacheResponse()
  @Get('kept-text')
  keptText(): string {
    return this.bareText();
  }

  @Get('bare-null')
  bareNull(): null {
    return null;
  }
  @CacheResponse()
  @Get('kept-null')
  keptNull(): null {
    return this.bareNull();
  }

  @Get('bare-number')
  bareNumber(): number {
    return 42;
  }
  @CacheResponse()
  @Get('kept-number')
  keptNumber(): number {
    return this.bareNumber();
  }

  @Get('bare-bytes')
  bareBytes(): Buffer {
    return Buffer.from([0, 255, 128]);
  }
  @CacheResponse()
  @Get('kept-bytes')
  keptBytes(): Buffer {
    return this.bareBytes();
  }

  @Header('Content-Type', 'text/csv')
  @Get('bare-csv')
  bareCsv(): string {
    return 'a,b';
  }
  @CacheResponse()
  @Header('Content-Type', 'text/csv')
  @Get('kept-csv')
  keptCsv(): string {
    return this.bareCsv();
  }

  @CacheResponse({ statuses: [203, 204] })
  @HttpCode(203)
  @Get('code')
  code(): unknown {
    return { run: ran('code') };
  }

  @CacheResponse({ statuses: [200, 404], headers: ['X-Total'] })
  @Get('headers')
  headers(
    @Res({ passthrough: true }) response: object,
    @Query('set') set: string,
    @Query('value') value: string,
  ): unknown {
    const run = ran('headers');
    const adapter = this.host.httpAdapter;
    if (set === 'status') adapter.status(response, Number(value));
    else if (set !== undefined) adapter.setHeader(response, set, value);
    return { run };
  }

  @CacheResponse()
  @Get('slow')
  async slow(@Query('fail') fail?: string): Promise<unknown> {
    const run = ran('slow');
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (fail === '404') throw new NotFoundException(`run ${run}`);
    if (fail === '503') throw new ServiceUnavailableException(`run ${run}`);
    if (fail === 'undefined') return undefined;
    if (fail === 'stream') return new StreamableFile(Readable.from([Buffer.from(`run ${run}`)]));
    return { run };
  }

  @CacheResponse({ query: ['page'] })
  @Get('listed')
  listed(@Query() query: Record<string, unknown>): unknown {
    return { run: ran('listed'), query };
  }

  @CacheResponse({ vary: ['Accept-Language'] })
  @Get('varied')
  varied(@Req() request: Asking): unknown {
    return { run: ran('varied'), language: request.headers['accept-language'] };
  }

  @CacheResponse({ per: userOf })
  @Get('per')
  per(@Req() request: Asking): unknown {
    return { run: ran('per'), user: request.headers['x-user'] };
  }

  @CacheResponse({ shared: true, maxAge: '1m', sharedMaxAge: '1h' })
  @Get('shared')
  shared(): unknown {
    return { run: ran('shared') };
  }

  @CacheResponse({
    key: (context) => ['product', context.switchToHttp().getRequest<{ params: { id: string } }>().params.id],
  })
  @Get('keyed/:id')
  keyed(): unknown {
    return { run: ran('keyed') };
  }

  @CacheResponse({ allowClientRefresh: true })
  @Get('refresh')
  refresh(): unknown {
    return { run: ran('refresh') };
  }

  @CacheResponse({
    condition: (context) => context.switchToHttp().getRequest<Asking>().query['off'] === undefined,
    unless: (result) => (result as { run: number }).run === 1,
    maxBytes: 100,
  })
  @Get('judged')
  judged(@Query('long') long?: string): unknown {
    return { run: ran('judged'), ...(long === undefined ? {} : { padding: 'x'.repeat(100) }) };
  }

  @CacheResponse()
  @All('any')
  any(@Req() request: Asking): unknown {
    return { run: ran('any'), method: request.method };
  }

  @CacheResponse()
  @Redirect('/pages/json', 302)
  @Get('redirect')
  redirect(): void {
    ran('redirect');
  }

  @CacheResponse()
  @Get('manual')
  manual(@Res() response: object): void {
    this.host.httpAdapter.reply(response, { run: ran('manual') }, 200);
  }

  @CacheResponse()
  @Sse('events')
  events(): Observable<{ data: string }> {
    return of({ data: `run ${ran('events')}` });
  }

  @CacheResponse()
  @Get('last')
  last(): Observable<unknown> {
    return of({ run: 0 }, { run: ran('last') });
  }

  @Head('explicit')
  @CacheResponse()
  explicitHead(): unknown {
    return { run: ran('explicit') };
  }
}

@Controller({ path: 'versioned' })
class VersionedController {
  @CacheResponse()
  @Version('1')
  @Get()
  one(): string {
    return 'one';
  }

  @CacheResponse()
  @Version('2')
  @Get()
  two(): string {
    return 'two';
  }
}

describe.each(ADAPTERS)('@CacheResponse on %s', (adapter) => {
  let pages: PageApp;
  const get: PageApp['get'] = (...args) => pages.get(...args);

  beforeAll(async () => {
    pages = await pageApp({
      adapter,
      controllers: [PagesController, VersionedController],
      configure: (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' }),
    });
  });
  afterAll(() => pages.app.close());
  beforeEach(async () => {
    runs.clear();
  });

  describe('hits and misses', () => {
    it('answers the second request without running the handler, byte for byte the same', async () => {
      const miss = await get('/pages/json?a=1');
      const hit = await get('/pages/json?a=1');
      expect([miss.cache, hit.cache]).toEqual(['miss', 'hit']);
      expect(hit.body).toBe(miss.body);
      expect(runs.get('json')).toBe(1);
      for (const name of ['content-type', 'etag', 'cache-control', 'content-length']) {
        expect(hit.headers.get(name)).toBe(miss.headers.get(name));
      }
    });

    it.each(['json', 'text', 'null', 'number', 'bytes', 'csv'])(
      'sends %s as it is sent without a cache',
      async (kind) => {
        const bare = await get(`/pages/bare-${kind}`);
        for (const expected of ['miss', 'hit']) {
          const kept = await get(`/pages/kept-${kind}`);
          expect(kept.cache).toBe(expected);
          expect(kept.body).toBe(bare.body);
          expect(kept.status).toBe(bare.status);
          for (const name of ['content-type', 'content-length']) {
            expect(kept.headers.get(name)).toBe(bare.headers.get(name));
          }
        }
      },
    );

    it('keeps the last value of an Observable, as Nest sends it', async () => {
      await get('/pages/last');
      expect((await get('/pages/last')).body).toBe('{"run":1}');
    });

    it('tells paths and queries apart, but not the order of parameters', async () => {
      await get('/pages/json?x=1&y=2');
      expect((await get('/pages/json?y=2&x=1')).cache).toBe('hit');
      expect((await get('/pages/json?y=1&x=2')).cache).toBe('miss');
      await get('/pages/items/1');
      expect((await get('/pages/items/2')).cache).toBe('miss');
      expect((await get('/pages/items/1')).cache).toBe('hit');
    });

    it('runs the handler once for concurrent requests', async () => {
      const seen = await Promise.all(Array.from({ length: 20 }, () => get('/pages/slow?once')));
      expect(new Set(seen.map(({ body }) => body))).toEqual(new Set(['{"run":1}']));
      expect(runs.get('slow')).toBe(1);
      expect(seen.every(({ headers }) => headers.get('etag') === seen[0]!.headers.get('etag'))).toBe(true);
    });

    it('tells versions apart that share a path', async () => {
      expect((await get('/versioned', { 'x-version': '1' })).body).toBe('one');
      expect((await get('/versioned', { 'x-version': '2' })).body).toBe('two');
      expect(await get('/versioned', { 'x-version': '2' })).toMatchObject({ cache: 'hit', body: 'two' });
    });

    it('keeps the status that the handler is declared with', async () => {
      await get('/pages/code');
      expect(await get('/pages/code')).toMatchObject({ cache: 'hit', status: 203 });
    });

    it('leaves other methods than GET and HEAD alone', async () => {
      expect((await get('/pages/any', {}, 'POST')).body).toContain('POST');
      expect(await get('/pages/any', {}, 'POST')).toMatchObject({ cache: null, body: '{"run":2,"method":"POST"}' });
      expect((await get('/pages/any')).cache).toBe('miss');
    });
  });

  describe('conditional requests', () => {
    it('answers 304 without a body to a client that has the answer', async () => {
      const { headers } = await get('/pages/json?conditional');
      const etag = headers.get('etag')!;
      expect(etag).toMatch(/^"[\w-]{27}"$/);
      for (const condition of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const seen = await get('/pages/json?conditional', { 'if-none-match': condition });
        expect(seen).toMatchObject({ status: 304, body: '', cache: 'hit' });
        expect(seen.headers.get('etag')).toBe(etag);
        expect(seen.headers.get('cache-control')).toBe('private, no-cache');
        expect(seen.headers.get('date')).not.toBeNull();
        expect(seen.headers.get('content-type')).toBeNull();
      }
      expect((await get('/pages/json?conditional', { 'if-none-match': '"other"' })).status).toBe(200);
    });

    it('answers 304 also when the handler had to run', async () => {
      const etag = (await get('/pages/last')).headers.get('etag')!;
      await pages.app.get(CacheService).delete(responseKey('/pages/last'));
      runs.clear();
      expect(await get('/pages/last', { 'if-none-match': etag })).toMatchObject({ status: 304, cache: 'miss' });
    });

    it('lets a 304 be asked for by date only where the answer has one', async () => {
      const date = 'Wed, 21 Oct 2015 07:28:00 GMT';
      const later = 'Wed, 21 Oct 2026 07:28:00 GMT';
      const path = `/pages/headers?set=last-modified&value=${encodeURIComponent(date)}`;
      const { headers } = await get(path);
      expect((await get(path, { 'if-modified-since': date })).status).toBe(304);
      expect((await get(path, { 'if-modified-since': later })).status).toBe(304);
      expect((await get(path, { 'if-modified-since': 'Wed, 21 Oct 2014 07:28:00 GMT' })).status).toBe(200);
      expect((await get(path, { 'if-modified-since': 'yesterday' })).status).toBe(200);
      expect((await get(path, { 'if-modified-since': later, 'if-none-match': '"other"' })).status).toBe(200);
      expect((await get('/pages/json', { 'if-modified-since': later })).status).toBe(200);
      expect(headers.get('last-modified')).toBe(date);
    });

    it("respects the handler's own entity tag", async () => {
      const path = '/pages/headers?set=etag&value=W%2F%22v7%22';
      for (const cache of ['miss', 'hit']) {
        const seen = await get(path);
        expect(seen.cache).toBe(cache);
        expect(seen.headers.get('etag')).toBe('W/"v7"');
      }
      expect((await get(path, { 'if-none-match': '"v7"' })).status).toBe(304);
    });
  });

  describe('HEAD', () => {
    it("is answered from GET's entry, with the same headers and no body", async () => {
      const { headers } = await get('/pages/json?head');
      const head = await get('/pages/json?head', {}, 'HEAD');
      expect(head).toMatchObject({ cache: 'hit', body: '', status: 200 });
      for (const name of ['etag', 'content-type', 'content-length', 'cache-control']) {
        expect(head.headers.get(name)).toBe(headers.get(name));
      }
      expect(runs.get('json')).toBe(1);
      const etag = headers.get('etag')!;
      expect((await get('/pages/json?head', { 'if-none-match': etag }, 'HEAD')).status).toBe(304);
    });

    it('leaves nothing for GET', async () => {
      const head = await get('/pages/json?head-first', {}, 'HEAD');
      expect(head.cache).toBe('miss');
      const full = await get('/pages/json?head-first');
      expect(full.cache).toBe('miss');
      expect(full.body).not.toBe('');
      await get('/pages/explicit', {}, 'HEAD');
      expect((await get('/pages/explicit', {}, 'HEAD')).cache).toBe('miss');
    });
  });

  describe('privacy', () => {
    it.each<Record<string, string>>([{ authorization: 'Bearer x' }, { cookie: 'session=x' }])(
      'neither keeps nor gives an answer to a request with %j',
      async (credentials) => {
        const path = `/pages/json?private=${Object.keys(credentials)[0]}`;
        expect((await get(path, credentials)).cache).toBe('bypass');
        expect((await get(path)).cache).toBe('miss');
        expect((await get(path, credentials)).cache).toBe('bypass');
        expect(runs.get('json')).toBe(3);
      },
    );

    it('keeps an answer for each of those that `per` tells apart', async () => {
      const ask = async (user: string): Promise<string> => {
        const { body, cache, headers } = await get('/pages/per', { 'x-user': user, cookie: 'session=x' });
        expect(headers.get('cache-control')).toBe('private, no-cache');
        expect(body).toContain(`"user":"${user}"`);
        return cache!;
      };
      expect([await ask('ada'), await ask('bob'), await ask('ada'), await ask('bob')]).toEqual([
        'miss',
        'miss',
        'hit',
        'hit',
      ]);
    });

    it('keeps nothing for an authenticated request whose user `per` does not know', async () => {
      expect((await get('/pages/per', { cookie: 'session=x' })).cache).toBe('bypass');
      expect((await get('/pages/per')).cache).toBe('miss');
      expect((await get('/pages/per', { cookie: 'session=x' })).cache).toBe('bypass');
      expect((await get('/pages/per')).cache).toBe('hit');
    });

    it('gives everybody the same where the route is shared, and lets proxies keep it', async () => {
      await get('/pages/shared', { authorization: 'Bearer x' });
      const { cache, headers } = await get('/pages/shared', { cookie: 'a=b' });
      expect(cache).toBe('hit');
      expect(headers.get('cache-control')).toBe('public, max-age=60, s-maxage=3600');
      expect(headers.get('age')).toMatch(/^\d+$/);
    });

    it.each([
      ['set-cookie', 'session=1'],
      ['cache-control', 'no-store'],
      ['cache-control', 'max-age=60, Private'],
      ['vary', 'User-Agent'],
      ['vary', '*'],
      ['status', '500'],
      ['status', '201'],
    ])('never keeps an answer with %s: %s', async (set, value) => {
      const path = `/pages/headers?set=${set}&value=${encodeURIComponent(value)}`;
      const first = await get(path);
      const second = await get(path);
      expect([first.cache, second.cache]).toEqual(['bypass', 'bypass']);
      expect(second.body).toBe('{"run":2}');
      if (set !== 'status') expect(second.headers.get(set)).toContain(value);
    });
  });

  describe('headers', () => {
    it.each([
      ['link', '</next>; rel=next'],
      ['content-language', 'de'],
      ['content-type', 'application/vnd.shop+json'],
      ['cache-control', 'public, max-age=5'],
      ['x-total', '7'],
    ])('keeps %s', async (set, value) => {
      const path = `/pages/headers?set=${set}&value=${encodeURIComponent(value)}`;
      const miss = await get(path);
      const hit = await get(path);
      expect(hit.cache).toBe('hit');
      expect(hit.headers.get(set)).toBe(miss.headers.get(set));
      expect(hit.headers.get(set)).toContain(value);
    });

    it('does not keep others', async () => {
      const path = '/pages/headers?set=x-request-id&value=7';
      expect((await get(path)).headers.get('x-request-id')).toBe('7');
      const hit = await get(path);
      expect(hit.cache).toBe('hit');
      expect(hit.headers.get('x-request-id')).toBeNull();
    });

    it('keeps a status that the route lists', async () => {
      await get('/pages/headers?set=status&value=404');
      expect(await get('/pages/headers?set=status&value=404')).toMatchObject({
        cache: 'hit',
        status: 404,
        body: '{"run":1}',
      });
    });

    it('tells apart by the headers in `vary`, and says so', async () => {
      const ask = (language: string): ReturnType<typeof get> => get('/pages/varied', { 'accept-language': language });
      expect((await ask('de, en')).headers.get('vary')).toBe('accept-language');
      expect((await ask('en')).cache).toBe('miss');
      expect((await ask('DE,en')).cache).toBe('hit');
      expect((await get('/pages/varied', { 'accept-language': 'fr', 'user-agent': 'x' })).body).toContain('fr');
    });
  });

  describe('what is not kept', () => {
    it.each(['undefined', 'stream'])('gives each request its own answer when it is %s', async (kind) => {
      const seen = await Promise.all(Array.from({ length: 5 }, () => get(`/pages/slow?fail=${kind}`)));
      expect(seen.map(({ cache }) => cache)).toEqual(Array(5).fill('bypass'));
      expect(runs.get('slow')).toBe(5);
      if (kind === 'stream') expect(new Set(seen.map(({ body }) => body)).size).toBe(5);
    });

    it('hands the error of a handler to all who wait for it, and keeps nothing', async () => {
      const seen = await Promise.all(Array.from({ length: 5 }, () => get('/pages/slow?fail=404')));
      expect(seen.map(({ status }) => status)).toEqual(Array(5).fill(404));
      expect(runs.get('slow')).toBe(1);
      expect((await get('/pages/slow?fail=404')).body).toContain('run 2');
      const down = await Promise.all(Array.from({ length: 5 }, () => get('/pages/slow?fail=503')));
      expect(down.map(({ status }) => status)).toEqual(Array(5).fill(503));
      expect(runs.get('slow')).toBe(3);
    });

    it('lets pipes refuse what they would refuse without a cache', async () => {
      expect((await get('/pages/items/x')).status).toBe(400);
      expect((await get('/pages/items/x')).status).toBe(400);
    });

    it('asks `condition` and `unless`, and heeds `maxBytes`', async () => {
      expect((await get('/pages/judged?off')).cache).toBe('bypass');
      runs.clear();
      expect((await get('/pages/judged')).cache).toBe('bypass');
      expect((await get('/pages/judged')).cache).toBe('miss');
      expect((await get('/pages/judged')).cache).toBe('hit');
      expect([(await get('/pages/judged?long')).cache, (await get('/pages/judged?long')).cache]).toEqual([
        'bypass',
        'bypass',
      ]);
    });

    it('serves redirects, event streams and what a handler sends by itself as ever', async () => {
      expect((await get('/pages/redirect')).headers.get('location')).toBe('/pages/json');
      expect((await get('/pages/manual')).body).toBe('{"run":1}');
      expect((await get('/pages/manual')).body).toBe('{"run":2}');
      expect((await get('/pages/events')).body).toContain('run 1');
      expect((await get('/pages/events')).body).toContain('run 2');
    });
  });

  describe('what clients send', () => {
    it('keeps unlisted parameters from the key and from the handler', async () => {
      const miss = await get('/pages/listed?utm_source=mail&page=2');
      expect(JSON.parse(miss.body)).toEqual({ run: 1, query: { page: '2' } });
      expect(await get('/pages/listed?page=2&utm_source=other')).toMatchObject({ cache: 'hit', body: miss.body });
      expect((await get('/pages/listed?page=3')).cache).toBe('miss');
    });

    it('lets a client refresh only where the route allows it', async () => {
      const noCache = { 'cache-control': 'no-cache' };
      await get('/pages/json?no-cache');
      expect((await get('/pages/json?no-cache', noCache)).cache).toBe('hit');
      await get('/pages/refresh');
      expect(await get('/pages/refresh', noCache)).toMatchObject({ cache: 'miss', body: '{"run":2}' });
      await eventually(async () =>
        expect(await get('/pages/refresh')).toMatchObject({ cache: 'hit', body: '{"run":2}' }),
      );
    });

    it('evicts by the key of the address, and by what `key` gives', async () => {
      const cache = pages.app.get(CacheService);
      await get('/pages/json?b=1&a=1');
      await cache.delete(responseKey('/pages/json?a=1&b=1'));
      expect((await get('/pages/json?b=1&a=1')).cache).toBe('miss');
      await get('/pages/keyed/7?whatever');
      expect((await get('/pages/keyed/7')).cache).toBe('hit');
      await cache.delete(responseKey(['product', '7']));
      expect((await get('/pages/keyed/7')).cache).toBe('miss');
    });
  });
});

it.each(ADAPTERS)('works on a Cluster, on %s, and leaves no key for ever', async (adapter) => {
  const prefix = randomPrefix();
  const { app, get } = await pageApp({ adapter, controllers: [PagesController], topology: 'cluster', prefix });
  try {
    runs.clear();
    expect((await get('/pages/json')).cache).toBe('miss');
    expect((await get('/pages/json')).cache).toBe('hit');
    await expectEveryKeyExpires('cluster', prefix);
  } finally {
    await app.close();
  }
});

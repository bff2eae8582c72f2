import { request } from 'node:http';
import type { ServerResponse } from 'node:http';
import fastifyCookie from '@fastify/cookie';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Query,
  Res,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { NEVER, type Observable } from 'rxjs';
import { CacheResponse } from '../../../../src/cache/index.js';
import { eventually } from '../../../../src/testing/index.js';
import { expectNoLeakedConnections } from '../../../support/redis.js';
import { ADAPTERS, pageApp, type PageApp, type PageAppOptions } from './page-app.js';

expectNoLeakedConnections();

let runs = 0;
/** What middleware gives the next response, when its headers are written. */
let lateHeader: readonly [name: string, value: string] | undefined;
let isSlow = false;
let isHung = false;

/** Lets a request hang after its handler has run. */
class Hang implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (!isHung) return next.handle();
    next.handle().subscribe();
    return NEVER;
  }
}

async function page(): Promise<unknown> {
  runs += 1;
  if (isSlow) await new Promise((resolve) => setTimeout(resolve, 200));
  return { run: runs };
}

@UseInterceptors(Hang)
@Controller('pages')
class PagesController {
  @CacheResponse()
  @Get('private')
  private(): unknown {
    return page();
  }

  @CacheResponse({ shared: true, maxAge: '1m' })
  @Get('shared')
  shared(): unknown {
    return page();
  }

  @CacheResponse({ ttl: '50ms', staleWhileRevalidate: '1m' })
  @Get('stale')
  stale(): unknown {
    return page();
  }

  @CacheResponse({ shared: true, maxAge: '1m' })
  @Get('own-cookie')
  ownCookie(
    @Query('cookie') cookie: string | undefined,
    @Res({ passthrough: true }) reply: { setCookie(name: string, value: string): void },
  ): unknown {
    if (cookie !== undefined) reply.setCookie('id', cookie);
    return page();
  }
}

type Write = (this: ServerResponse, ...args: unknown[]) => ServerResponse;

/** Middleware that sets a header in `writeHead`, in the ways in which session middleware does. */
const MIDDLEWARES: Record<string, (response: ServerResponse, write: Write) => Write> = {
  // As on-headers does: what it is given is set first, so that it can be read.
  'sets what it is given first': (response, write) =>
    function (status, ...rest) {
      const headers = rest.pop();
      if (typeof headers === 'object') {
        for (const [name, value] of Object.entries(headers as object)) response.setHeader(name, value as string);
      }
      if (lateHeader !== undefined) response.setHeader(...lateHeader);
      return write.call(this, status);
    },
  'sets it and hands on what it is given': (response, write) =>
    function (...args) {
      if (lateHeader !== undefined) response.appendHeader(...lateHeader);
      return write.apply(this, args);
    },
  'puts it among what it is given': (_response, write) =>
    function (status, headers) {
      const late = lateHeader === undefined ? {} : { [lateHeader[0]]: lateHeader[1] };
      return write.call(this, status, { ...(headers as object | undefined), ...late });
    },
};

function useLate(app: INestApplication, wrap: (response: ServerResponse, write: Write) => Write): void {
  app.use((_request: unknown, response: ServerResponse, next: () => void) => {
    response.writeHead = wrap(response, response.writeHead as Write);
    next();
  });
}

describe.each(ADAPTERS)('an answer with a cookie, on %s', (adapter) => {
  let pages: PageApp | undefined;
  beforeEach(() => {
    runs = 0;
    lateHeader = undefined;
    isSlow = false;
    isHung = false;
  });
  afterEach(async () => {
    await pages?.app.close();
    pages = undefined;
  });
  const open = async (options: Partial<PageAppOptions> = {}): Promise<PageApp['get']> => {
    pages = await pageApp({ adapter, controllers: [PagesController], ...options });
    return pages.get;
  };

  describe.each(Object.keys(MIDDLEWARES))('from middleware that %s', (kind) => {
    const late = { configure: (app: INestApplication) => useLate(app, MIDDLEWARES[kind]!) };

    it.each(['private', 'shared'])('is never kept: %s', async (route) => {
      const get = await open(late);
      lateHeader = ['Set-Cookie', 'session=1'];
      const first = await get(`/pages/${route}`);
      expect(first.headers.get('set-cookie')).toBe('session=1');
      expect(first.body).toBe('{"run":1}');
      lateHeader = undefined;
      expect((await get(`/pages/${route}`)).body).toBe('{"run":2}');
      expect(await get(`/pages/${route}`)).toMatchObject({ cache: 'hit', body: '{"run":2}' });
    });

    it('never goes out with headers that let proxies keep it, neither on a miss nor on a hit', async () => {
      const get = await open(late);
      for (const cache of ['miss', 'miss', 'hit', 'hit']) {
        lateHeader = cache === 'miss' && runs === 1 ? undefined : ['set-cookie', 'session=1'];
        const seen = await get('/pages/shared');
        expect(seen.cache).toBe(cache);
        const isPlain = lateHeader === undefined;
        expect(seen.headers.get('cache-control')).toBe(isPlain ? 'public, max-age=60' : 'private, no-cache');
        expect(seen.headers.get('set-cookie')).toBe(isPlain ? null : 'session=1');
      }
    });

    it('goes to its own request alone', async () => {
      const get = await open(late);
      lateHeader = ['set-cookie', 'session=1'];
      isSlow = true;
      await Promise.all(Array.from({ length: 4 }, () => get('/pages/private')));
      expect(runs).toBe(4);
    });

    it.each([
      ['cache-control', 'no-store'],
      ['vary', 'user-agent'],
    ] as const)('heeds %s: %s that comes as late', async (name, value) => {
      const get = await open(late);
      lateHeader = [name, value];
      await get('/pages/private');
      lateHeader = undefined;
      expect((await get('/pages/private')).cache).toBe('miss');
    });

    it('lets compression say that it looks at what the client accepts', async () => {
      const get = await open(late);
      lateHeader = ['vary', 'accept-encoding'];
      await get('/pages/private');
      expect((await get('/pages/private')).cache).toBe('hit');
    });
  });

  it('is not kept from a refresh in the background either', async () => {
    const get = await open({ configure: (app) => useLate(app, MIDDLEWARES['sets what it is given first']!) });
    await get('/pages/stale');
    await new Promise((resolve) => setTimeout(resolve, 60));
    lateHeader = ['set-cookie', 'session=1'];
    expect((await get('/pages/stale')).cache).toBe('stale');
    await eventually(() => expect(runs).toBe(2));
    expect((await get('/pages/stale')).body).not.toBe('{"run":2}');
  });

  it('runs the handler once although the client who asked first is gone', async () => {
    const get = await open();
    isSlow = true;
    const { port } = new URL(pages!.url);
    const gone = request({ port, host: '127.0.0.1', path: '/pages/private' }).on('error', () => {});
    gone.end();
    await eventually(() => expect(runs).toBe(1));
    const waiting = get('/pages/private');
    gone.destroy();
    expect((await waiting).body).toBe('{"run":1}');
    expect(await get('/pages/private')).toMatchObject({ cache: 'hit', body: '{"run":1}' });
  });

  it('does not keep others waiting for an answer that is never sent', async () => {
    const get = await open();
    isHung = true;
    const { port } = new URL(pages!.url);
    const hung = request({ port, host: '127.0.0.1', path: '/pages/private' }).on('error', () => {});
    hung.end();
    await eventually(() => expect(runs).toBe(1));
    isHung = false;
    const waiting = get('/pages/private');
    hung.destroy();
    expect((await waiting).body).toBe('{"run":2}');
  });
});

it('sees the cookies of @fastify/cookie, which are written last', async () => {
  const { app, get } = await pageApp({
    adapter: 'Fastify',
    controllers: [PagesController],
    configure: (nest) => (nest as NestFastifyApplication).register(fastifyCookie),
  });
  try {
    runs = 0;
    isSlow = false;
    for (const run of [1, 2]) {
      const seen = await get('/pages/own-cookie?cookie=7');
      expect(seen).toMatchObject({ body: `{"run":${run}}` });
      expect(seen.headers.get('set-cookie')).toContain('id=7');
      expect(seen.headers.get('cache-control')).toBe('private, no-cache');
    }
    await get('/pages/own-cookie');
    const hit = await get('/pages/own-cookie');
    expect(hit).toMatchObject({ cache: 'hit', body: '{"run":3}' });
    expect(hit.headers.get('cache-control')).toBe('public, max-age=60');
  } finally {
    await app.close();
  }
});

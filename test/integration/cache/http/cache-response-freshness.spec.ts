import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Param, Res, type ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CacheModule, CacheResponse, CacheService } from '../../../../src/cache/index.js';
import { eventually } from '../../../../src/testing/index.js';
import { expectNoLeakedConnections } from '../../../support/redis.js';
import { ADAPTERS, pageApp, type PageApp } from './page-app.js';

expectNoLeakedConnections();

let runs = 0;
let failing = false;

const idOf = (context: ExecutionContext): string =>
  context.switchToHttp().getRequest<{ params: { id: string } }>().params.id;

@Controller('pages')
class PagesController {
  constructor(private readonly host: HttpAdapterHost) {}

  @CacheResponse({ ttl: '100ms', staleWhileRevalidate: '1m' })
  @Get('stale')
  stale(): unknown {
    return { run: ++runs };
  }

  @CacheResponse({ ttl: '100ms', staleWhileRevalidate: '1m', headers: ['x-run'] })
  @Get('stale-headers')
  staleHeaders(@Res({ passthrough: true }) response: object): unknown {
    this.host.httpAdapter.setHeader(response, 'x-run', String(++runs));
    return { run: runs };
  }

  @CacheResponse({ ttl: '50ms', staleWhileRevalidate: '1m', headers: ['x-kind'] })
  @Get('same-header')
  sameHeader(@Res({ passthrough: true }) response: object): unknown {
    runs += 1;
    this.host.httpAdapter.setHeader(response, 'x-kind', 'page');
    return { run: runs };
  }

  @CacheResponse({ ttl: '100ms', failSafe: '1m', throttle: '1m' })
  @Get('fail-safe')
  failSafe(): unknown {
    if (failing) throw new Error('the source is down');
    return { run: ++runs };
  }

  @CacheResponse({ tags: ['pages'] })
  @Get('tagged')
  tagged(): unknown {
    return { run: ++runs };
  }

  @CacheResponse({ tags: (context) => [['page', idOf(context)]] })
  @Get('tagged/:id')
  taggedById(@Param('id') id: string): unknown {
    return { id, run: ++runs };
  }

  @CacheResponse({ segment: 'lists' })
  @Get('segment')
  segment(): unknown {
    return { run: ++runs };
  }

  @CacheResponse({ cache: 'near' })
  @Get('near')
  near(): unknown {
    return { run: ++runs };
  }
}

describe.each(ADAPTERS)('the freshness of @CacheResponse on %s', (adapter) => {
  let pages: PageApp;
  const get: PageApp['get'] = (...args) => pages.get(...args);
  const runOf = (body: string): number => (JSON.parse(body) as { run: number }).run;

  beforeEach(async () => {
    runs = 0;
    failing = false;
    pages = await pageApp({
      adapter,
      controllers: [PagesController],
      imports: [CacheModule.forFeature({ name: 'near', memory: true })],
    });
  });
  afterEach(() => pages.app.close());

  it('serves a stale answer at once, and has it refreshed behind it', async () => {
    expect((await get('/pages/stale')).cache).toBe('miss');
    const stale = await eventually(async () => {
      const runsBefore = runs;
      const seen = await get('/pages/stale');
      expect(seen.cache).toBe('stale');
      return { ...seen, run: runOf(seen.body), runsBefore };
    });
    expect(stale.run).toBeLessThanOrEqual(stale.runsBefore);
    const fresh = await eventually(async () => {
      const seen = await get('/pages/stale');
      expect(runOf(seen.body)).toBeGreaterThan(stale.run);
      return seen;
    });
    expect(fresh.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(fresh.headers.get('etag')).not.toBe(stale.headers.get('etag'));
  });

  it('makes the same answer in the background as in the foreground', async () => {
    @Controller('same')
    class SameController {
      @CacheResponse({ ttl: '50ms', staleWhileRevalidate: '1m' })
      @Get()
      find(): string {
        runs += 1;
        return 'same';
      }
    }
    const same = await pageApp({ adapter, controllers: [SameController] });
    try {
      const first = await same.get('/same');
      while (runs < 3) {
        const seen = await same.get('/same');
        expect([seen.body, seen.headers.get('etag')]).toEqual(['same', first.headers.get('etag')]);
        expect(seen.headers.get('content-type')).toBe(first.headers.get('content-type'));
      }
    } finally {
      await same.app.close();
    }
  });

  it('never keeps a refresh whose headers nobody saw', async () => {
    while (runs < 6) {
      const { headers, body } = await get('/pages/stale-headers');
      expect(headers.get('x-run')).toBe(String(runOf(body)));
    }
  });

  it('never loses a header to a refresh', async () => {
    while (runs < 6) expect((await get('/pages/same-header')).headers.get('x-kind')).toBe('page');
  });

  it('serves what there was while the handler fails', async () => {
    await get('/pages/fail-safe');
    failing = true;
    const deadline = performance.now() + 400;
    while (performance.now() < deadline)
      expect(await get('/pages/fail-safe')).toMatchObject({ status: 200, body: '{"run":1}' });
  });

  it('runs the handler anew after a tag, or the segment, was invalidated', async () => {
    const cache = pages.app.get(CacheService);
    const all = ['/pages/tagged', '/pages/tagged/1', '/pages/tagged/2', '/pages/segment'];
    const outcomes = async (): Promise<unknown[]> => {
      const seen: unknown[] = [];
      for (const path of all) seen.push((await get(path)).cache);
      return seen;
    };
    await outcomes();
    expect(await outcomes()).toEqual(['hit', 'hit', 'hit', 'hit']);
    await cache.invalidateTags(['pages']);
    expect(await outcomes()).toEqual(['miss', 'hit', 'hit', 'hit']);
    await cache.invalidateTags([['page', '2']]);
    expect(await outcomes()).toEqual(['hit', 'hit', 'miss', 'hit']);
    await cache.invalidateSegment('lists');
    expect(await outcomes()).toEqual(['hit', 'hit', 'hit', 'miss']);
  });

  it('answers from memory where its cache has some', async () => {
    const { counters } = pages.app.get(CacheService).named('near');
    await get('/pages/near');
    await eventually(async () => {
      expect((await get('/pages/near')).body).toBe('{"run":1}');
      expect(counters.memoryHits).toBeGreaterThan(1);
    });
  });

  it('works without Redis, in the memory of one process', async () => {
    @Controller('alone')
    class AloneController {
      @CacheResponse({ tags: ['alone'] })
      @Get()
      find(): unknown {
        return { run: ++runs };
      }
    }
    const alone = await pageApp({ adapter, controllers: [AloneController], store: 'memory' });
    try {
      expect([(await alone.get('/alone')).cache, (await alone.get('/alone')).cache]).toEqual(['miss', 'hit']);
      await alone.app.get(CacheService).invalidateTags(['alone']);
      expect(await alone.get('/alone')).toMatchObject({ cache: 'miss', body: '{"run":2}' });
    } finally {
      await alone.app.close();
    }
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Logger,
  Post,
  Query,
  Req,
  Res,
  Version,
  VersioningType,
  type INestApplication,
  type LoggerService,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CacheResponse, CacheService, responseKey } from '../../../../src/cache/index.js';
import { ConfigurationError } from '../../../../src/core/errors/configuration.error.js';
import { expectNoLeakedConnections } from '../../../support/redis.js';
import { ADAPTERS, pageApp, type PageApp, type PageAppOptions } from './page-app.js';

expectNoLeakedConnections();

interface Asking {
  readonly method: string;
  readonly headers: Record<string, string | undefined>;
}

let runs = 0;

@Controller('pages')
class PagesController {
  constructor(private readonly host: HttpAdapterHost) {}

  @CacheResponse({ vary: ['X-Tenant'] })
  @Get('tenant')
  tenant(@Req() { headers }: Asking): unknown {
    return { tenant: headers['x-tenant'] };
  }

  @CacheResponse()
  @Get('plain')
  plain(): unknown {
    return { run: ++runs };
  }

  @CacheResponse({ shared: true })
  @Get('shared')
  shared(): unknown {
    return { run: ++runs };
  }

  /** A handler that looks at the method, as HTTP lets it. */
  @CacheResponse()
  @Get('by-method')
  byMethod(@Req() request: Asking, @Res({ passthrough: true }) response: object, @Query('tag') tag?: string): string {
    if (tag !== undefined) this.host.httpAdapter.setHeader(response, 'etag', `"${tag}"`);
    return request.method === 'HEAD' ? 'short' : 'the whole of it';
  }

  @CacheResponse({ headers: ['x-total'] })
  @Get('headers')
  headers(@Res({ passthrough: true }) response: object): string {
    const adapter = this.host.httpAdapter;
    for (const name of ['X-Total', 'X-Secret-Name', 'Link', 'ETag']) adapter.setHeader(response, name, '"secret"');
    return 'ok';
  }
}

@Controller({ path: 'versioned', version: '1' })
class VersionedController {
  @CacheResponse()
  @Get()
  one(): string {
    return 'one';
  }

  @CacheResponse()
  @Version(['2', '3'])
  @Get('more')
  more(): string {
    return 'more';
  }
}

class Warnings implements LoggerService {
  readonly seen: string[] = [];
  log(): void {}
  error(): void {}
  warn(message: string, context?: string): void {
    this.seen.push(`${context}: ${message}`);
  }
}

type RawResponse = { setHeader(name: string, value: string): void };

describe.each(ADAPTERS)('the rules of @CacheResponse on %s', (adapter) => {
  let pages: PageApp | undefined;
  beforeEach(() => {
    runs = 0;
  });
  afterEach(async () => {
    Logger.overrideLogger(false);
    await pages?.app.close();
    pages = undefined;
  });
  const open = async (options: Partial<PageAppOptions> = {}): Promise<PageApp['get']> => {
    pages = await pageApp({ adapter, controllers: [PagesController], ...options });
    return pages.get;
  };

  it('tells values of a header apart that differ in case', async () => {
    const get = await open();
    expect((await get('/pages/tenant', { 'x-tenant': 'Acme' })).body).toBe('{"tenant":"Acme"}');
    expect((await get('/pages/tenant', { 'x-tenant': 'acme' })).body).toBe('{"tenant":"acme"}');
  });

  const varying = (value: string): Partial<PageAppOptions> => ({
    configure: (app: INestApplication) =>
      app.use((_request: unknown, response: RawResponse, next: () => void) => {
        response.setHeader('vary', value);
        next();
      }),
  });

  it.each([
    ['plain', 'Accept-Language', 'bypass'],
    ['plain', 'Origin, User-Agent', 'bypass'],
    ['shared', 'Cookie', 'bypass'],
    ['plain', 'Cookie', 'hit'],
    ['shared', 'Origin, Accept-Encoding', 'hit'],
  ])('of /%s beneath middleware that says Vary: %s: %s', async (route, value, outcome) => {
    const get = await open(varying(value));
    await get(`/pages/${route}`);
    expect((await get(`/pages/${route}`)).cache).toBe(outcome);
  });

  it('keeps what varies by a header that the route names', async () => {
    const get = await open(varying('X-Tenant'));
    await get('/pages/tenant');
    expect((await get('/pages/tenant')).cache).toBe('hit');
  });

  it('leaves a version out of the key that stands in the path', async () => {
    const get = await open({
      controllers: [VersionedController],
      configure: (app) => app.enableVersioning({ type: VersioningType.URI }),
    });
    const cache = pages!.app.get(CacheService);
    for (const path of ['/v1/versioned', '/v2/versioned/more', '/v3/versioned/more']) {
      await get(path);
      expect((await get(path)).cache).toBe('hit');
      await cache.delete(responseKey(path));
      expect((await get(path)).cache).toBe('miss');
    }
  });

  it('sends no entity tag with a HEAD that finds nothing, but for the own one of the handler', async () => {
    const get = await open();
    const head = await get('/pages/by-method', {}, 'HEAD');
    expect([head.cache, head.headers.get('etag')]).toEqual(['miss', null]);
    expect((await get('/pages/by-method?tag=v1', {}, 'HEAD')).headers.get('etag')).toBe('"v1"');
    const full = await get('/pages/by-method');
    expect(full).toMatchObject({ cache: 'miss', body: 'the whole of it' });
    expect((await get('/pages/by-method', {}, 'HEAD')).headers.get('etag')).toBe(full.headers.get('etag'));
  });

  it('says once that a handler sets headers which hits do not have, by their names alone', async () => {
    const get = await open();
    const warnings = new Warnings();
    Logger.overrideLogger(warnings);
    await get('/pages/plain');
    for (const query of ['a', 'b']) await get(`/pages/headers?${query}`);
    expect(warnings.seen).toEqual([
      expect.stringMatching(/^CacheModule: PagesController\.headers sets x-secret-name, .*'headers'/),
    ]);
    expect(warnings.seen[0]).not.toContain('"secret"');
  });

  it('refuses at boot what is never asked by GET', async () => {
    @Controller('writes')
    class WritesController {
      @CacheResponse()
      @Post()
      save(): string {
        return 'saved';
      }
    }
    await expect(open({ controllers: [WritesController], store: 'memory' })).rejects.toThrow(ConfigurationError);
    await expect(open({ controllers: [WritesController], store: 'memory' })).rejects.toThrow(
      /WritesController\.save.*POST/,
    );
  });

  it('takes a user whom middleware found for an authenticated request', async () => {
    const get = await open({
      configure: (app) =>
        app.use((request: Asking & { user?: unknown }, _response: unknown, next: () => void) => {
          if (request.headers['x-user'] !== undefined) request.user = { id: request.headers['x-user'] };
          next();
        }),
    });
    expect((await get('/pages/plain', { 'x-user': 'ada' })).cache).toBe('bypass');
    expect((await get('/pages/plain')).cache).toBe('miss');
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  ForbiddenException,
  Get,
  Header,
  Injectable,
  Module,
  Param,
  Scope,
  SetMetadata,
  UseGuards,
  UseInterceptors,
  VersioningType,
  Version,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_INTERCEPTOR, ModuleRef } from '@nestjs/core';
import { ExternalContextCreator } from '@nestjs/core';
import type { ExpressAdapter } from '@nestjs/platform-express';
import { map, type Observable } from 'rxjs';
import {
  Cacheable,
  CacheResponse,
  CacheStatusInterceptor,
  type CacheResponseOptions,
} from '../../../../src/cache/index.js';
import { ConfigurationError } from '../../../../src/core/errors/configuration.error.js';
import { expectNoLeakedConnections } from '../../../support/redis.js';
import { ADAPTERS, pageApp, type PageApp, type PageAppOptions } from './page-app.js';

expectNoLeakedConnections();

/** What ran, in order. */
let trace: string[] = [];

class Envelope implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    trace.push('envelope');
    return next
      .handle()
      .pipe(map((data: unknown) => ({ data, isDate: (data as { at?: unknown }).at instanceof Date })));
  }
}

@Injectable({ scope: Scope.REQUEST })
class ScopedEnvelope extends Envelope {}

class Secret {
  constructor(
    readonly name: string,
    readonly password: string,
  ) {}
}

/** What ClassSerializerInterceptor does to a class with `@Exclude()`. */
class Redact implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => (data instanceof Secret ? { name: data.name } : data)));
  }
}

class Watch implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    trace.push('watch');
    return next.handle();
  }
}

class TokenGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: unknown }>();
    trace.push('guard');
    if (request.headers['x-token'] === 'wrong') throw new ForbiddenException();
    if (request.headers['x-token'] !== undefined) request.user = { id: request.headers['x-token'] };
    return true;
  }
}

@Controller('pages')
class PagesController {
  @CacheResponse()
  @Get('dated')
  dated(): unknown {
    trace.push('handler');
    return { at: new Date(0) };
  }

  @UseInterceptors(Redact)
  @CacheResponse()
  @Get('above')
  above(): Secret {
    trace.push('handler');
    return new Secret('ada', 'hunter2');
  }

  @CacheResponse()
  @UseInterceptors(Redact)
  @Get('below')
  below(): Secret {
    trace.push('handler');
    return new Secret('ada', 'hunter2');
  }

  @CacheResponse()
  @Get('instance')
  instance(): Secret {
    trace.push('handler');
    return new Secret('ada', 'hunter2');
  }

  @CacheResponse({ finalBody: true })
  @Get('final')
  final(): Secret {
    trace.push('handler');
    return new Secret('ada', '');
  }

  @UseGuards(TokenGuard)
  @CacheResponse()
  @Get('guarded')
  guarded(): unknown {
    trace.push('handler');
    return {};
  }

  @UseGuards(TokenGuard)
  @CacheResponse({ per: (context) => context.switchToHttp().getRequest<{ user?: { id: string } }>().user?.id })
  @Get('own')
  own(): unknown {
    trace.push('handler');
    return { count: trace.length };
  }

  @SetMetadata('role', 'admin')
  @CacheResponse()
  @Header('X-Static', 'yes')
  @Header('Cache-Control', 'public, max-age=7')
  @Cacheable({ key: () => 'inner' })
  @Get('stacked')
  async stacked(): Promise<unknown> {
    trace.push('handler');
    return { ok: true };
  }

  @UseInterceptors(CacheStatusInterceptor)
  @CacheResponse()
  @Get('status')
  status(): string {
    return 'ok';
  }
}

/** The same handlers, under a name and a path of their own. */
@Controller('inherited')
class InheritedController extends PagesController {}

@UseInterceptors(CacheStatusInterceptor)
@Controller('reported')
class ReportedController {
  @CacheResponse()
  @Get()
  find(): string {
    return 'ok';
  }

  @CacheResponse()
  @Cacheable({ key: () => 'reported' })
  @Get('inner')
  async inner(): Promise<string> {
    return 'ok';
  }
}

@Controller({ path: 'hosts', host: ':shop.localhost' })
class HostsController {
  @CacheResponse()
  @Get()
  find(): unknown {
    trace.push('handler');
    return { count: trace.length };
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedController {
  @CacheResponse()
  @Get(':id')
  find(@Param('id') id: string): unknown {
    trace.push('handler');
    return { id };
  }
}

describe.each(ADAPTERS)('@CacheResponse in a Nest application on %s', (adapter) => {
  let pages: PageApp | undefined;
  beforeEach(() => {
    trace = [];
  });
  afterEach(async () => {
    await pages?.app.close();
    pages = undefined;
  });
  const open = async (options: Partial<PageAppOptions> = {}): Promise<PageApp['get']> => {
    pages = await pageApp({ adapter, controllers: [PagesController], ...options });
    return pages.get;
  };

  describe.each<[string, Partial<PageAppOptions>]>([
    ['a global interceptor', { configure: (app) => app.useGlobalInterceptors(new Envelope()) }],
    ['one from a provider', { providers: [{ provide: APP_INTERCEPTOR, useClass: Envelope }] }],
    ['one per request', { providers: [{ provide: APP_INTERCEPTOR, useClass: ScopedEnvelope }] }],
  ])('beneath %s', (_name, options) => {
    it('hands it the same value on a hit as on a miss, and runs it each time', async () => {
      const get = await open(options);
      const seen = [await get('/pages/dated'), await get('/pages/dated')];
      expect(seen.map(({ cache }) => cache)).toEqual(['miss', 'hit']);
      expect(trace).toEqual(['envelope', 'handler', 'envelope']);
      for (const { body, headers } of seen) {
        expect(JSON.parse(body)).toEqual({ data: { at: '1970-01-01T00:00:00.000Z' }, isDate: true });
        expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
        expect(headers.get('etag')).toMatch(/^W\//);
      }
    });

    it('answers 304 there, too', async () => {
      const get = await open(options);
      const { headers } = await get('/pages/dated');
      const again = await get('/pages/dated', { 'if-none-match': headers.get('etag')! });
      expect(again).toMatchObject({ status: 304, body: '' });
    });
  });

  it('caches no instance of a class beneath an interceptor that could tell it from a plain object', async () => {
    const get = await open({ configure: (app) => app.useGlobalInterceptors(new Redact()) });
    for (let i = 0; i < 2; i++) {
      expect(await get('/pages/instance')).toMatchObject({ cache: 'bypass', body: '{"name":"ada"}' });
    }
  });

  it.each(['above', 'below'])("keeps the work of the handler's own interceptors, written %s", async (path) => {
    const get = await open();
    expect((await get(`/pages/${path}`)).body).toBe('{"name":"ada"}');
    expect(await get(`/pages/${path}`)).toMatchObject({ cache: 'hit', body: '{"name":"ada"}' });
  });

  it('caches what has its final form, where the route says that interceptors above leave it alone', async () => {
    const get = await open({ configure: (app) => app.useGlobalInterceptors(new Watch()) });
    await get('/pages/final');
    expect(await get('/pages/final')).toMatchObject({ cache: 'hit', body: '{"name":"ada","password":""}' });
    expect(trace).toEqual(['watch', 'handler', 'watch']);
  });

  it('runs guards on every request, hits included', async () => {
    const get = await open();
    expect((await get('/pages/guarded')).cache).toBe('miss');
    expect((await get('/pages/guarded')).cache).toBe('hit');
    expect((await get('/pages/guarded', { 'x-token': 'wrong' })).status).toBe(403);
    expect(trace).toEqual(['guard', 'handler', 'guard', 'guard']);
  });

  it('takes a user whom a guard found for an authenticated request', async () => {
    const get = await open();
    await get('/pages/guarded');
    expect((await get('/pages/guarded', { 'x-token': 'ada' })).cache).toBe('bypass');
    const own = async (user: string): Promise<string | null> => (await get('/pages/own', { 'x-token': user })).cache;
    expect([await own('ada'), await own('bob'), await own('ada')]).toEqual(['miss', 'miss', 'hit']);
  });

  it('leaves other decorators their work', async () => {
    const get = await open();
    for (const cache of ['miss', 'hit']) {
      const seen = await get('/pages/stacked');
      expect(seen).toMatchObject({ cache, body: '{"ok":true}' });
      expect(seen.headers.get('x-static')).toBe('yes');
      expect(seen.headers.get('cache-control')).toBe('public, max-age=7');
    }
    expect(Reflect.getMetadata('role', PagesController.prototype.stacked)).toBe('admin');
    expect(trace).toEqual(['handler']);
  });

  it('keeps the answers of an inherited handler apart by their paths', async () => {
    const get = await open({ controllers: [PagesController, InheritedController] });
    await get('/pages/dated');
    expect((await get('/inherited/dated')).cache).toBe('miss');
    expect((await get('/inherited/dated')).cache).toBe('hit');
  });

  it('works in request-scoped controllers', async () => {
    const get = await open({ controllers: [ScopedController] });
    expect([(await get('/scoped/1')).cache, (await get('/scoped/1')).cache]).toEqual(['miss', 'hit']);
  });

  it('works behind a global prefix and versions in the path', async () => {
    @Controller({ path: 'things', version: '1' })
    class ThingsController {
      @CacheResponse()
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
    const get = await open({
      controllers: [ThingsController],
      configure: (app) => app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI }),
    });
    expect((await get('/api/v1/things')).body).toBe('one');
    expect((await get('/api/v2/things')).body).toBe('two');
    expect(await get('/api/v1/things')).toMatchObject({ cache: 'hit', body: 'one' });
  });

  it('tells hosts apart where the controller is bound to hosts', async () => {
    await open({ controllers: [HostsController] });
    const ask = async (host: string): Promise<string | undefined> => askWithHost(pages!.app, '/hosts', host);
    expect([await ask('a.localhost'), await ask('b.localhost'), await ask('a.localhost')]).toEqual([
      'miss',
      'miss',
      'hit',
    ]);
  });

  it('lets CacheStatusInterceptor report what became of the whole answer', async () => {
    const get = await open({ controllers: [ReportedController, PagesController] });
    expect([(await get('/reported')).cache, (await get('/reported')).cache]).toEqual(['miss', 'hit']);
    expect((await get('/reported', { cookie: 'a=b' })).cache).toBe('bypass');
    expect((await get('/reported')).headers.get('etag')).toMatch(/^"/);
    await get('/reported/inner');
    expect((await get('/reported/inner', { cookie: 'a=b' })).cache).toBe('bypass');
    expect([(await get('/pages/status')).cache, (await get('/pages/status')).cache]).toEqual(['miss', 'hit']);
  });

  it('gives a proxy no answer to keep that carries a cookie of middleware', async () => {
    @Controller('shared')
    class SharedController {
      @CacheResponse({ shared: true, maxAge: '1m' })
      @Get()
      find(): string {
        return 'ok';
      }
    }
    let sets = false;
    const get = await open({
      controllers: [SharedController],
      configure: (app) =>
        app.use((_request: unknown, response: { setHeader(name: string, value: string): void }, next: () => void) => {
          if (sets) response.setHeader('set-cookie', 'id=7');
          next();
        }),
    });
    await get('/shared');
    expect((await get('/shared')).headers.get('cache-control')).toBe('public, max-age=60');
    sets = true;
    const seen = await get('/shared');
    expect(seen.cache).toBe('hit');
    expect(seen.headers.get('cache-control')).toBe('private, no-cache');
    expect(seen.headers.get('set-cookie')).toBe('id=7');
  });

  it('keeps no header that middleware sets for one client', async () => {
    const get = await open({
      configure: (app) =>
        app.use(
          (
            request: { headers: Record<string, string> },
            response: { setHeader(name: string, value: string): void },
            next: () => void,
          ) => {
            response.setHeader('content-language', request.headers['accept-language']!);
            next();
          },
        ),
    });
    await get('/pages/dated', { 'accept-language': 'de' });
    const seen = await get('/pages/dated', { 'accept-language': 'fr' });
    expect(seen.cache).toBe('hit');
    expect(seen.headers.get('content-language')).toBe('fr');
  });

  it('adds to a Vary that is there, and says which headers a client must tell apart', async () => {
    const options: CacheResponseOptions = { maxAge: '1m', vary: ['accept-language'] };
    @Controller('varied')
    class VariedController {
      @CacheResponse(options)
      @Get()
      find(): string {
        return 'ok';
      }
    }
    const get = await open({
      controllers: [VariedController],
      configure: (app) => app.enableCors({ origin: ['https://shop.example'], credentials: true }),
    });
    for (const cache of ['miss', 'hit']) {
      const seen = await get('/varied', { origin: 'https://shop.example' });
      expect(seen.cache).toBe(cache);
      const fields = seen.headers.get('vary')!.toLowerCase().split(/, */).sort();
      expect(fields).toEqual(['accept-language', 'authorization', 'cookie', 'origin']);
      expect(seen.headers.get('cache-control')).toBe('private, max-age=60');
    }
  });

  it('refuses calls that are not HTTP with an error that says so', async () => {
    @Injectable()
    class Resolver {
      @CacheResponse()
      lamps(): string {
        return 'lamps';
      }
    }
    await open({ providers: [Resolver] });
    const { app } = pages!;
    const resolver = app.get(Resolver);
    const contexts = app.get(ModuleRef).get(ExternalContextCreator, { strict: false });
    const none = [undefined, undefined, undefined, undefined, undefined] as const;
    const call = contexts.create(resolver, resolver.lamps, 'lamps', ...none, 'graphql') as () => Promise<unknown>;
    await expect(call()).rejects.toThrow(ConfigurationError);
    await expect(call()).rejects.toThrow(/Resolver\.lamps.*'graphql'.*@Cacheable/);
  });

  it('says what to import when the module is missing', async () => {
    @Module({ controllers: [ScopedController] })
    class Lonely {}
    const { Test } = await import('@nestjs/testing');
    await expect(Test.createTestingModule({ imports: [Lonely] }).compile()).rejects.toThrow(
      /@CacheResponse \(import CacheModule\.forRoot\(\)\)/,
    );
  });
});

it.each([false, 'weak', 'strong'])(
  "makes its own entity tag whatever Express' etag setting is: %s",
  async (setting) => {
    const { app, get } = await pageApp({
      adapter: 'Express',
      controllers: [PagesController],
      configure: (nest) => (nest.getHttpAdapter() as ExpressAdapter).set('etag', setting),
    });
    try {
      const { headers } = await get('/pages/dated');
      expect(headers.get('etag')).toMatch(/^"[\w-]{27}"$/);
      expect((await get('/pages/dated', { 'if-none-match': headers.get('etag')! })).status).toBe(304);
    } finally {
      await app.close();
    }
  },
);

it("writes JSON as Express' settings say", async () => {
  const { app, get } = await pageApp({
    adapter: 'Express',
    controllers: [PagesController],
    configure: (nest) => (nest.getHttpAdapter() as ExpressAdapter).set('json spaces', 2).set('json escape', true),
  });
  try {
    await get('/pages/dated');
    expect((await get('/pages/dated')).body).toBe('{\n  "at": "1970-01-01T00:00:00.000Z"\n}');
  } finally {
    await app.close();
  }
});

/** `fetch` sends the host of the URL only. */
async function askWithHost(app: INestApplication, path: string, host: string): Promise<string | undefined> {
  const { request } = await import('node:http');
  const { port } = app.getHttpServer().address() as { port: number };
  return new Promise((resolve, reject) => {
    request({ port, path, host: '127.0.0.1', headers: { host, connection: 'close' } }, (response) => {
      response.resume().on('end', () => resolve(response.headers['x-cache'] as string | undefined));
    })
      .on('error', reject)
      .end();
  });
}

import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  Body,
  Catch,
  Controller,
  Delete,
  ForbiddenException,
  Get,
  HttpCode,
  Injectable,
  Post,
  Query,
  Redirect,
  Req,
  Res,
  StreamableFile,
  UseGuards,
  type ArgumentsHost,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type MiddlewareConsumer,
  Module,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, BaseExceptionFilter } from '@nestjs/core';
import { ConfigurationError, redisToken, type RedisConnection } from '../../../src/core/index.js';
import { eventually } from '../../../src/testing/index.js';
import {
  CsrfGuard,
  PassiveSession,
  RecentLogin,
  RequestSessions,
  Session,
  SessionGuard,
  SessionMiddleware,
  SessionService,
  SessionUsageError,
  type SessionHandle,
} from '../../../src/session/index.js';
import { CookieClient } from '../../support/cookie-client.js';
import { expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { ADAPTERS, SECRET, sessionService } from '../../support/session-app.js';

@Injectable()
class CountingGuard implements CanActivate {
  constructor(private readonly sessions: RequestSessions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const session = await this.sessions.of(context);
    session.set('tries', Number(session.get('tries') ?? 0) + 1);
    throw new ForbiddenException();
  }
}

@Injectable()
class SavingGuard implements CanActivate {
  constructor(private readonly sessions: RequestSessions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await (await this.sessions.of(context)).set('seen', true).save();
    return true;
  }
}

@Injectable()
class CycleGuard implements CanActivate {
  constructor(private readonly sessions: RequestSessions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const cart = (await this.sessions.of(context)).get('cart') as { self?: unknown };
    cart.self = cart;
    return false;
  }
}

/** As a request at the same time does that ends the session. */
@Injectable()
class EndingGuard implements CanActivate {
  constructor(
    private readonly requests: RequestSessions,
    private readonly sessions: SessionService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { userId, handle } = await this.requests.of(context);
    return this.sessions.destroyForUser(userId as string, handle as string);
  }
}

interface AnyResponse {
  header(name: string, value: string): unknown;
}

/** Routes before which middleware sets something and saves it. */
const SAVED = ['saved-by-middleware', 'login-over-it'];

@Controller()
class ShopController {
  @Get('bare')
  bare(): string {
    return 'ok';
  }

  @Get('look')
  look(@Session() session: Session): unknown {
    return { isNew: session.isNew, user: session.userId, names: session.names().sort(), handle: session.handle };
  }

  @Get('get')
  read(@Session() session: Session, @Query('name') name: string): unknown {
    return { value: session.get(name) ?? null };
  }

  @Post('set')
  @HttpCode(200)
  set(@Session() session: Session, @Body() body: Record<string, unknown>): unknown {
    for (const [name, value] of Object.entries(body)) session.set(name, value);
    return { names: session.names().sort() };
  }

  @Post('set-and-throw')
  setAndThrow(@Session() session: Session, @Body() body: Record<string, unknown>): never {
    for (const [name, value] of Object.entries(body)) session.set(name, value);
    throw new ForbiddenException();
  }

  @Get('set-and-redirect')
  @Redirect('/look')
  setAndRedirect(@Session() session: Session): void {
    session.set('redirected', true);
  }

  @Get('own-answer')
  async ownAnswer(@Session() session: Session, @Res() response: { send(body: string): unknown }): Promise<void> {
    await session.set('own', true).save();
    response.send('sent');
    session.set('late', true);
  }

  @Post('login')
  @HttpCode(200)
  async logIn(@Session() session: Session, @Body() { user }: { user: string }): Promise<unknown> {
    await session.logIn(user);
    return { user: session.userId };
  }

  @Post('logout')
  @HttpCode(200)
  async logOut(@Session() session: Session): Promise<void> {
    await session.destroy();
  }

  @Post('renew')
  @HttpCode(200)
  async renew(@Session() session: Session): Promise<void> {
    await session.regenerate();
  }

  @UseGuards(SessionGuard)
  @Get('me')
  me(@Req() request: { user: unknown }, @Session() session: Session): unknown {
    return { user: request.user, session: session.userId };
  }

  @UseGuards(SessionGuard)
  @RecentLogin('200ms')
  @Delete('account')
  removeAccount(): string {
    return 'gone';
  }

  @UseGuards(SessionGuard)
  @RecentLogin('10m')
  @Delete('address')
  removeAddress(): string {
    return 'gone';
  }

  @UseGuards(EndingGuard, SessionGuard)
  @RecentLogin('10m')
  @Delete('late')
  removeLate(): string {
    return 'gone';
  }

  @PassiveSession()
  @Get('poll')
  poll(@Session() session: Session): unknown {
    return { user: session.userId };
  }

  @UseGuards(CountingGuard)
  @Get('counted')
  counted(): void {}

  @Get('middleware')
  fromMiddleware(@Req() request: { session?: SessionHandle; raw?: { session?: SessionHandle } }): unknown {
    const session = request.session ?? request.raw?.session;
    return { user: session?.userId };
  }

  @UseGuards(SavingGuard)
  @Get('saved-by-guard')
  savedByGuard(): string {
    return 'ok';
  }

  @Get('saved-by-middleware')
  @HttpCode(200)
  savedByMiddleware(@Res({ passthrough: true }) response: AnyResponse, @Query('how') how: string): unknown {
    if (how !== 'none') response.header('set-cookie', 'theme=dark');
    if (how === 'stream') return new StreamableFile(Readable.from(['ok']));
    return { ok: true };
  }

  @Post('login-over-it')
  async logInOverIt(@Session() session: Session, @Res({ passthrough: true }) response: AnyResponse): Promise<unknown> {
    response.header('set-cookie', 'theme=dark');
    await session.logIn('ada');
    return { user: session.userId };
  }

  /** What an answer that came too early has led to. */
  static early: unknown;

  @Get('answers-early')
  async answersEarly(@Session() session: Session, @Res() response: { send(body: string): unknown }): Promise<void> {
    const saving = session.set('early', true).save();
    response.send('sent');
    ShopController.early = await saving.catch((error: unknown) => error);
  }

  @Get('cycle')
  cycle(@Session() session: Session, @Query('refuse') refuse?: string): void {
    const cart = session.get('cart') as { self?: unknown };
    cart.self = cart;
    if (refuse !== undefined) throw new ForbiddenException();
  }

  @UseGuards(CycleGuard)
  @Get('cycle-in-a-guard')
  cycleInAGuard(): void {}

  @Get('twice')
  twice(@Session() one: Session, @Session() other: Session): unknown {
    return { same: one === other };
  }
}

/** A decorator of the application, which puts a function of its own in place of the handler. */
function Wrapped({ copies }: { copies: boolean }): MethodDecorator {
  return (_target, _key, descriptor) => {
    const wrapped = descriptor as { value?: unknown };
    const handler = wrapped.value as (...args: unknown[]) => unknown;
    const wrapper = function (this: unknown, ...args: unknown[]): unknown {
      return handler.apply(this, args);
    };
    for (const key of copies ? (Reflect.getMetadataKeys(handler) as string[]) : []) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), wrapper);
    }
    wrapped.value = wrapper;
  };
}

@Controller()
class WrappedController {
  @Get('copies')
  @Wrapped({ copies: true })
  copies(@Session() session: Session): unknown {
    return { isNew: session.isNew };
  }

  @Get('copies-not')
  @Wrapped({ copies: false })
  copiesNot(@Session() session: Session): unknown {
    return { isNew: session.isNew };
  }
}

@Module({})
class WithMiddleware {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(SessionMiddleware).forRoutes('middleware', 'login', ...SAVED);
    consumer
      .apply((request: { session: SessionHandle }, _: unknown, next: (error?: unknown) => void) => {
        request.session
          .set('greeted', true)
          .save()
          .then(() => next(), next);
      })
      .forRoutes(...SAVED);
  }
}

const NAME = '__Host-sid';

describe.each(ADAPTERS)('on %s', (adapter) => {
  let app: INestApplication;
  let url: string;
  let sessions: SessionService;
  let users = 0;
  const newUser = (): string => `${adapter}-${(users += 1)}`;
  const newClient = (): CookieClient => new CookieClient(url);

  const prefix = randomPrefix();
  const open = (): ReturnType<typeof sessionService> =>
    sessionService(adapter, {
      redis: sharedRedis('standalone'),
      prefix,
      session: { device: { trustedProxies: ['loopback'] } },
      controllers: [ShopController],
      providers: [CountingGuard, CycleGuard, EndingGuard, SavingGuard, { provide: APP_GUARD, useClass: CsrfGuard }],
      imports: [WithMiddleware],
    });

  beforeAll(async () => {
    ({ app, url } = await open());
    sessions = app.get(SessionService);
  });
  afterAll(() => app.close());

  /** Another process, which has seen none of these sessions. */
  const withAnother = async (use: (client: CookieClient) => Promise<void>): Promise<void> => {
    const another = await open();
    try {
      await use(new CookieClient(another.url));
    } finally {
      await another.app.close();
    }
  };

  describe('a client', () => {
    it('gets no cookie, and nothing is stored, until something is set', async () => {
      const client = newClient();
      const { created } = sessions.counters;
      const look = await client.get('/look');
      expect([look.body, look.cookies]).toEqual([{ isNew: true, user: null, names: [], handle: null }, []]);
      expect(sessions.counters.created).toBe(created);
    });

    it('gets a cookie that scripts cannot read, for HTTPS and this host alone', async () => {
      const { cookies, body } = await newClient().post('/set', { a: 1 });
      expect(body).toEqual({ names: ['a'] });
      expect(cookies).toEqual([
        expect.stringMatching(/^__Host-sid=[\w-]{45}\.[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
      ]);
    });

    it('finds again what it has set, and is given its cookie once', async () => {
      const client = newClient();
      await client.post('/set', { cart: [{ id: 7 }] });
      const { body, cookies } = await client.get('/get?name=cart');
      expect([body, cookies]).toEqual([{ value: [{ id: 7 }] }, []]);
      expect((await client.post('/set', { b: 2 })).cookies).toEqual([]);
      expect((await client.get('/look')).body).toMatchObject({ isNew: false, names: ['b', 'cart'] });
    });

    it('finds what was set before a handler threw, or sent it elsewhere', async () => {
      const client = newClient();
      expect((await client.post('/set-and-throw', { a: 1 })).status).toBe(403);
      expect((await client.get('/set-and-redirect')).status).toBe(302);
      expect((await client.get('/look')).body).toMatchObject({ names: ['a', 'redirected'] });
    });

    it('finds what a handler has set that answers by itself, and what it set too late', async () => {
      const client = newClient();
      expect((await client.get('/own-answer')).body).toBe('sent');
      expect((await client.get('/get?name=own')).body).toEqual({ value: true });
      await eventually(async () => expect((await client.get('/get?name=late')).body).toEqual({ value: true }));
    });

    it('finds what a guard has set before it refused', async () => {
      const client = newClient();
      await client.post('/set', { a: 1 });
      expect((await client.get('/counted')).status).toBe(403);
      await eventually(async () => expect((await client.get('/get?name=tries')).body).toEqual({ value: 1 }));
    });

    it.each(['none', 'json', 'stream'])(
      "has the cookie that middleware saved with, beside a handler's own (%s)",
      async (how) => {
        const client = newClient();
        const { cookies } = await client.get(`/saved-by-middleware?how=${how}`);
        const names = cookies.map((cookie) => cookie.split('=')[0]);
        expect(names.sort()).toEqual(how === 'none' ? [NAME] : [NAME, 'theme']);
        expect((await client.get('/look')).body).toMatchObject({ isNew: false, names: ['greeted'] });
      },
    );

    it('finds what a guard has saved on a route without a session', async () => {
      const client = newClient();
      expect((await client.get('/saved-by-guard')).cookies).toHaveLength(1);
      expect((await client.get('/look')).body).toMatchObject({ isNew: false, names: ['seen'] });
    });

    it('has the last of the cookies that middleware and handler were given', async () => {
      const client = newClient();
      const { cookies } = await client.post('/login-over-it');
      expect(cookies).toContain('theme=dark');
      expect((await client.get('/look')).body).toMatchObject({ user: 'ada', names: ['greeted'] });
    });

    it('whose answer was sent before its session was stored has no cookie, and the handler is told', async () => {
      const { status, cookies } = await newClient().get('/answers-early');
      expect([status, cookies]).toEqual([200, []]);
      await eventually(() => expect(ShopController.early).toBeInstanceOf(SessionUsageError));
    });

    it('is not kept logged in by a route that is passive', async () => {
      const client = newClient();
      await client.post('/login', { user: newUser() });
      const { handle } = (await client.get('/look')).body as { handle: string };
      const key = `${prefix}:session:{${client.jar.get(NAME)!.slice(0, 2)}}:s${handle}`;
      const redis = app.get<RedisConnection>(redisToken());
      const leftMs = async (): Promise<number> => (await redis.send('PTTL', [key])) as number;
      await redis.send('PEXPIRE', [key, 60_000]);
      await withAnother(async (other) => {
        expect((await other.get('/poll', { cookie: client.header() })).status).toBe(200);
        expect(await leftMs()).toBeLessThanOrEqual(60_000);
        expect((await other.get('/me', { cookie: client.header() })).status).toBe(200);
        expect(await leftMs()).toBeGreaterThan(60_000);
      });
    });

    it('keeps what it had when an object is changed into what cannot be kept, and the process lives', async () => {
      const client = newClient();
      await client.post('/set', { cart: { id: 7 } });
      expect((await client.get('/cycle')).status).toBe(500);
      expect((await client.get('/cycle?refuse')).status).toBe(403);
      expect((await client.get('/cycle-in-a-guard')).status).toBe(403);
      expect((await client.get('/get?name=cart')).body).toEqual({ value: { id: 7 } });
    });

    it('has one session in one request', async () => {
      const client = newClient();
      await client.post('/set', { a: 1 });
      const { loaded } = sessions.counters;
      expect((await client.get('/twice')).body).toEqual({ same: true });
      expect(sessions.counters.loaded - loaded).toBe(1);
    });

    it('costs nothing on a route that asks for no session', async () => {
      const client = newClient();
      await client.post('/set', { a: 1 });
      const { loaded } = sessions.counters;
      expect((await client.get('/bare')).body).toBe('ok');
      expect(sessions.counters.loaded).toBe(loaded);
    });

    it('loses no attribute, however many requests write at once', async () => {
      const client = newClient();
      await client.post('/set', { first: 1 });
      await Promise.all(Array.from({ length: 20 }, (_, i) => client.post('/set', { [`by${i}`]: i })));
      const { names } = (await client.get('/look')).body as { names: string[] };
      expect(names).toHaveLength(21);
    });
  });

  describe('a login', () => {
    it('gives a new cookie, and the one before is worth what it was worth before', async () => {
      const client = newClient();
      await client.post('/set', { cart: 1 });
      const attacker = client.twin();
      const user = newUser();
      const { cookies } = await client.post('/login', { user });
      expect(cookies).toHaveLength(1);
      expect((await client.get('/me')).body).toEqual({ user: { id: user }, session: user });
      expect((await client.get('/get?name=cart')).body).toEqual({ value: 1 });
      expect((await attacker.get('/me')).status).toBe(401);
      expect((await attacker.get('/look')).body).toMatchObject({ user: null });
    });

    it('is told of 401, as problem details, where there was none', async () => {
      const answer = await newClient().get('/me');
      expect([answer.status, answer.headers.get('content-type'), answer.body]).toEqual([
        401,
        expect.stringContaining('application/problem+json'),
        { type: 'about:blank', title: 'Unauthorized', status: 401, detail: 'Log in first', code: 'login-required' },
      ]);
    });

    it('has to be recent, where that is asked', async () => {
      const client = newClient();
      await client.post('/login', { user: newUser() });
      expect((await client.send('DELETE', '/account')).status).toBe(200);
      await eventually(async () => {
        const answer = await client.send('DELETE', '/account');
        expect([answer.status, answer.body]).toEqual([403, expect.objectContaining({ code: 'recent-login-required' })]);
      });
      expect((await client.get('/me')).status).toBe(200);
    });

    it.each(['an hour behind', 'an hour ahead'])(
      'is as old as Redis says, to a process whose clock is %s',
      async (how) => {
        const user = newUser();
        const [fresh, old] = [newClient(), newClient()];
        await fresh.post('/login', { user });
        await old.post('/login', { user });
        const { handle } = (await old.get('/look')).body as { handle: string };
        const key = `${prefix}:session:{${old.jar.get(NAME)!.slice(0, 2)}}:s${handle}`;
        const redis = app.get<RedisConnection>(redisToken());
        // As if it had been made eleven minutes earlier.
        const made = String(await redis.send('HGET', [key, '#'])).split(':');
        await redis.send('HSET', [key, '#', [Number(made[0]) - 660_000, ...made.slice(1)].join(':')]);
        const { now } = Date;
        const clock = jest.spyOn(Date, 'now');
        clock.mockImplementation(() => now() + (how === 'an hour ahead' ? 3_600_000 : -3_600_000));
        try {
          const answers = [await fresh.send('DELETE', '/address'), await old.send('DELETE', '/address')];
          expect(answers.map(({ status }) => status)).toEqual([200, 403]);
        } finally {
          clock.mockRestore();
        }
      },
    );

    it('that has just ended is none, where it has to be recent', async () => {
      const client = newClient();
      await client.post('/login', { user: newUser() });
      const answer = await client.send('DELETE', '/late');
      expect([answer.status, answer.body]).toEqual([401, expect.objectContaining({ code: 'login-required' })]);
    });

    it('ends with a logout, for every copy of the cookie, and the client forgets it', async () => {
      const client = newClient();
      await client.post('/login', { user: newUser() });
      const thief = client.twin();
      const { cookies } = await client.post('/logout');
      expect(cookies).toEqual([`${NAME}=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0`]);
      expect(client.jar.size).toBe(0);
      expect((await thief.get('/me')).status).toBe(401);
      expect((await thief.get('/look')).body).toMatchObject({ isNew: true });
    });

    it('is kept by a new id, while requests under way still read', async () => {
      const client = newClient();
      const user = newUser();
      await client.post('/login', { user });
      const underWay = client.twin();
      expect((await client.post('/renew')).cookies).toHaveLength(1);
      expect((await client.get('/me')).body).toMatchObject({ session: user });
      expect((await underWay.get('/me')).body).toMatchObject({ session: user });
    });

    it('is found by middleware and handler alike', async () => {
      const client = newClient();
      const user = newUser();
      await client.post('/set', { a: 1 });
      await client.post('/login', { user });
      expect((await client.get('/middleware')).body).toEqual({ user });
    });
  });

  describe('the devices of a user', () => {
    it('are told by address and browser', async () => {
      const user = newUser();
      await newClient().post(
        '/login',
        { user },
        {
          'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
          'x-forwarded-for': '2001:db8::7',
        },
      );
      await newClient().post('/login', { user }, { 'user-agent': 'curl/8.1\u00e9' });
      const listed = await sessions.listForUser(user);
      expect(listed.map(({ ip, agent }) => [ip, agent]).sort()).toEqual([
        ['127.0.0.1', 'curl/8.1'],
        ['2001:db8::7', 'Firefox 128 on Linux'],
      ]);
    });
  });

  describe('a cookie that is not in order', () => {
    const changes: [string, (cookie: string) => string][] = [
      ['empty', () => ''],
      ['tampered with', (token) => (token.startsWith('A') ? 'B' : 'A') + token.slice(1)],
      ['truncated', (token) => token.slice(0, 60)],
      ['encoded', (token) => token.replace('.', '%2E')],
      ['encoded twice', (token) => token.replace('.', '%252E')],
      ['oversized', (token) => token.repeat(40)],
      ['of another form', () => 's%3Aabc.def'],
      ['JSON', () => '{"__proto__":{"user":1}}'],
      ['full of semicolons', () => ';;;=;'],
      ['an unknown id that is signed by another', (token) => `${token.slice(0, 45)}.${'A'.repeat(43)}`],
    ];

    it.each(changes)('(%s) makes for a new session', async (_, change) => {
      const client = newClient();
      await client.post('/login', { user: newUser() });
      const token = client.jar.get(NAME)!;
      client.jar.set(NAME, change(token));
      expect((await client.get('/me')).status).toBe(401);
      expect((await client.get('/look')).body).toMatchObject({ isNew: true });
      const { status, cookies } = await client.post('/set', { a: 1 });
      expect([status, cookies.length]).toEqual([200, 1]);
      client.jar.set(NAME, token);
      expect((await client.get('/me')).status).toBe(200);
    });

    it('beside the right one does no harm', async () => {
      const client = newClient();
      await client.post('/login', { user: newUser() });
      const right = client.header();
      for (const cookie of [
        `${NAME}=planted; ${right}`,
        `x${NAME}=1; ${right}`,
        `a=1;${right};b=2`,
        `${NAME}=;${right}`,
      ]) {
        expect((await newClient().get('/me', { cookie })).status).toBe(200);
      }
      expect((await newClient().get('/me', { cookie: `x${right}` })).status).toBe(401);
    });

    it('is counted', async () => {
      const { rejectedCookies } = sessions.counters;
      await newClient().get('/look', { cookie: `${NAME}=nonsense` });
      expect(sessions.counters.rejectedCookies - rejectedCookies).toBe(1);
    });
  });

  describe('an attribute', () => {
    it.each(['{"__proto__":1}', '{"constructor":1}', '{"prototype":{"a":1}}', '{"":1}'])(
      'from a body such as %s changes nothing',
      async (body) => {
        const client = newClient();
        await client.post('/set', { a: 1 });
        const response = await fetch(`${url}/set`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', cookie: client.header() },
          body,
        });
        await response.text();
        expect(({} as { a?: unknown }).a).toBeUndefined();
        expect((await client.get('/look')).body).toMatchObject({ names: ['a'] });
      },
    );
  });

  describe('a request of another site', () => {
    const own = (): string => new URL(url).host;

    it.each<[string, () => Record<string, string>, number]>([
      ['says so itself', () => ({ 'sec-fetch-site': 'cross-site' }), 403],
      ['is of a neighbour', () => ({ 'sec-fetch-site': 'same-site' }), 403],
      ['is of an old browser', () => ({ origin: 'https://evil.example' }), 403],
      ['has no origin to tell', () => ({ origin: 'null' }), 403],
      ['is of this site', () => ({ 'sec-fetch-site': 'same-origin' }), 200],
      ['is typed in', () => ({ 'sec-fetch-site': 'none' }), 200],
      ['is of this site in an old browser', () => ({ origin: `http://${own()}` }), 200],
      ['is of no browser', () => ({}), 200],
    ])('that %s', async (_, headers, status) => {
      const answer = await newClient().post('/set', { a: 1 }, headers());
      expect(answer.status).toBe(status);
      if (status === 403) expect(answer.body).toMatchObject({ code: 'cross-site-request', status: 403 });
      expect((await newClient().get('/look', headers())).status).toBe(200);
    });
  });
});

describe.each(ADAPTERS)('a decorator that wraps the handler, on %s', (adapter) => {
  it('has to copy its metadata, and is named where it does not', async () => {
    const seen: unknown[] = [];
    @Catch()
    class SeeingFilter extends BaseExceptionFilter {
      override catch(error: unknown, host: ArgumentsHost): void {
        seen.push(error);
        super.catch(error, host);
      }
    }
    const { app, url } = await sessionService(adapter, {
      redis: sharedRedis('standalone'),
      controllers: [WrappedController],
      providers: [{ provide: APP_FILTER, useClass: SeeingFilter }],
    });
    try {
      const client = new CookieClient(url);
      expect((await client.get('/copies')).body).toEqual({ isNew: true });
      expect((await client.get('/copies-not')).status).toBe(500);
      expect(seen).toEqual([expect.any(ConfigurationError)]);
      expect((seen[0] as Error).message).toMatch(/Import SessionModule\.forRoot\(\)\..*a decorator beneath @Get\(\)/);
    } finally {
      await app.close();
    }
  });
});

describe.each(ADAPTERS)('options, on %s', (adapter) => {
  it('shape the cookie', async () => {
    const { app, url } = await sessionService(adapter, {
      redis: sharedRedis('standalone'),
      session: {
        cookie: { name: 'id', secure: false, sameSite: 'strict', domain: 'example.com', path: '/', persistent: true },
        absoluteTimeout: '90s',
      },
      controllers: [ShopController],
      providers: [CountingGuard, CycleGuard, EndingGuard, SavingGuard],
    });
    try {
      const client = new CookieClient(url);
      const { cookies } = await client.post('/set', { a: 1 });
      expect(cookies).toEqual([
        expect.stringMatching(
          /^id=[\w-]+\.[\w-]+; Path=\/; Domain=example.com; HttpOnly; SameSite=Strict; Max-Age=90$/,
        ),
      ]);
      // A new id is good for as long as the session is, whatever this process takes the time to be.
      const { now } = Date;
      const clock = jest.spyOn(Date, 'now');
      try {
        for (const offMs of [-3_600_000, 3_600_000]) {
          clock.mockImplementation(() => now() + offMs);
          const { cookies: renewed } = await client.post('/renew');
          const [, maxAge] = /Max-Age=(-?\d+)$/.exec(renewed[0]!)!;
          expect(Number(maxAge)).toBeGreaterThan(30);
          expect(Number(maxAge)).toBeLessThanOrEqual(90);
        }
      } finally {
        clock.mockRestore();
      }
    } finally {
      await app.close();
    }
  });

  it('change secrets without logging anybody out', async () => {
    const prefix = randomPrefix();
    const newest = 'the newest secret, which signs from now on';
    const open = (secrets: string[]): ReturnType<typeof sessionService> =>
      sessionService(adapter, {
        redis: sharedRedis('standalone'),
        prefix,
        session: { secrets },
        controllers: [ShopController],
        providers: [CountingGuard, CycleGuard, EndingGuard, SavingGuard],
      });
    const before = await open([SECRET]);
    const after = await open([newest, SECRET]);
    const later = await open([newest]);
    try {
      const client = new CookieClient(before.url);
      await client.post('/login', { user: 'ada' });
      const cookie = client.header();
      expect((await new CookieClient(after.url).get('/me', { cookie })).status).toBe(200);
      expect((await new CookieClient(later.url).get('/me', { cookie })).status).toBe(401);
      const { cookies } = await new CookieClient(after.url).post('/renew', undefined, { cookie });
      const renewed = cookies[0]!.split(';')[0]!;
      expect((await new CookieClient(later.url).get('/me', { cookie: renewed })).status).toBe(200);
    } finally {
      await Promise.all([before, after, later].map(({ app }) => app.close()));
    }
  });
});

expectNoLeakedConnections();

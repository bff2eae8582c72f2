import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  Body,
  Catch,
  Controller,
  Delete,
  Get,
  HttpCode,
  Injectable,
  Module,
  Post,
  UnauthorizedException,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type MiddlewareConsumer,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { RedisConnections, RedisUnavailableError } from '../../../src/core/index.js';
import {
  RecentLogin,
  RequestSessions,
  Session,
  SessionGuard,
  SessionMiddleware,
  SessionService,
} from '../../../src/session/index.js';
import { SessionRuntime } from '../../../src/session/session.runtime.js';
import { eventually, startRedis, type RedisServer } from '../../../src/testing/index.js';
import { CookieClient } from '../../support/cookie-client.js';
import { OwnTime } from '../../support/own-time.js';
import { expectNoLeakedConnections } from '../../support/redis.js';
import { ADAPTERS, sessionService } from '../../support/session-app.js';

const DEADLINE_MS = 100;

/** Between the session's being read and what comes after it, something happens. */
@Injectable()
class BetweenGuard implements CanActivate {
  happen: () => Promise<void> = () => Promise.resolve();

  constructor(private readonly sessions: RequestSessions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.sessions.of(context);
    await this.happen();
    return true;
  }
}

/** An application's own, which has something to say of Redis. */
@Catch(RedisUnavailableError)
class OwnFilter implements ExceptionFilter {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(_: RedisUnavailableError, host: ArgumentsHost): void {
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), { said: 'by the application' }, 502);
  }
}

/** Goes on without a session, as one may that only greets people by name. */
@Injectable()
class PatientGuard implements CanActivate {
  /** Called where a session could not be read. */
  static whenAway: () => Promise<void> = () => Promise.resolve();

  constructor(private readonly sessions: RequestSessions) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.sessions.of(context).catch(() => PatientGuard.whenAway());
    return true;
  }
}

@Controller()
class ShopController {
  constructor(private readonly connections: RedisConnections) {}

  @Post('set')
  @HttpCode(200)
  set(@Session() session: Session, @Body() { value }: { value: unknown }): string {
    session.set('value', value);
    return 'set';
  }

  @Post('login')
  @HttpCode(200)
  async logIn(@Session() session: Session): Promise<void> {
    await session.logIn('ada');
  }

  @UseGuards(SessionGuard)
  @Get('me')
  me(@Session() session: Session): unknown {
    return { user: session.userId, value: session.get('value') };
  }

  @UseGuards(BetweenGuard, SessionGuard)
  @RecentLogin('10m')
  @Delete('account')
  removeAccount(): string {
    return 'gone';
  }

  @Get('bare')
  bare(): string {
    return 'ok';
  }

  @Get('middleware')
  middleware(): string {
    return 'ok';
  }

  @Post('fails')
  fails(@Session() session: Session): never {
    session.set('tries', 1);
    throw new UnauthorizedException('The password is wrong');
  }

  @UseFilters(OwnFilter)
  @Post('own-use')
  async ownUse(@Session() session: Session): Promise<unknown> {
    session.has('value');
    return this.connections.get().send('GET', ['own']);
  }

  @Post('caught')
  @HttpCode(200)
  async caught(@Session() session: Session): Promise<unknown> {
    const error = await session.logIn('ada').catch((reason: unknown) => reason);
    return { isCaught: error instanceof RedisUnavailableError };
  }

  @UseGuards(PatientGuard)
  @Get('patient')
  patient(@Session() session: Session): unknown {
    return { user: session.userId };
  }
}

@Module({})
class WithMiddleware {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(SessionMiddleware).forRoutes('middleware');
  }
}

describe.each(ADAPTERS)('on %s', (adapter) => {
  let redis: RedisServer;
  let app: INestApplication;
  let url: string;
  let client: CookieClient;
  let sessions: SessionService;

  beforeEach(async () => {
    redis = await startRedis({ appendOnly: true });
    const opened = await sessionService(adapter, {
      redis: { url: redis.url },
      session: { redisDeadline: `${DEADLINE_MS}ms` },
      controllers: [ShopController],
      providers: [BetweenGuard, PatientGuard],
      imports: [WithMiddleware],
    });
    ({ app } = opened);
    ({ url } = opened);
    client = new CookieClient(url);
    sessions = app.get(SessionService);
    await eventually(async () => expect((await client.post('/login')).status).toBe(200));
  });
  afterEach(async () => {
    await app.close();
    await redis.stop();
  });

  const isUp = (): boolean => app.get(RedisConnections).get().health.status.state === 'up';

  const kill = async (): Promise<void> => {
    await redis.nodes[0]?.kill();
    await eventually(() => expect(isUp()).toBe(false));
  };
  const newClient = (): CookieClient => new CookieClient(url);

  /** A slow machine may miss the deadline, which is short here, and what was answered with 503 is not written later. */
  const setUp = (): Promise<void> =>
    eventually(async () => expect((await client.post('/set', { value: 1 })).status).toBe(200));

  /** The first answer that is not 503. */
  const meWhenBack = async (): Promise<unknown> => {
    let me = await client.get('/me');
    await eventually(async () => {
      if (me.status === 503) me = await client.get('/me');
      expect(me.status).not.toBe(503);
    });
    return me.body;
  };

  const expectOutage = async (): Promise<void> => {
    for (const answer of [
      await client.get('/me'),
      await client.post('/set', { value: 2 }),
      await client.post('/login'),
      await client.get('/middleware'),
      // Whoever has no cookie meets with Redis in the handler alone.
      await newClient().post('/set', { value: 2 }),
      await newClient().post('/login'),
    ]) {
      expect([answer.status, answer.headers.get('content-type'), answer.headers.get('retry-after')]).toEqual([
        503,
        expect.stringContaining('application/problem+json'),
        '1',
      ]);
      expect(answer.body).toEqual({
        type: 'about:blank',
        title: 'Service Unavailable',
        status: 503,
        detail: 'Sessions are out of reach; try again',
        code: 'sessions-unavailable',
      });
      expect(answer.cookies).toEqual([]);
    }
    expect((await client.get('/bare')).body).toBe('ok');
  };

  it('a dead Redis is 503 where a session is needed, and nobody is logged out when it is back', async () => {
    await setUp();
    const [node] = redis.nodes;
    await kill();
    await expectOutage();
    await node?.start();
    expect(await meWhenBack()).toEqual({ user: 'ada', value: 1 });
  });

  it('a frozen Redis costs the deadline, then nothing, and no write is made that was answered with 503', async () => {
    await setUp();
    const [node] = redis.nodes;
    await node?.pause();
    using time = new OwnTime();
    expect((await client.get('/me')).status).toBe(503);
    expect(time.ms).toBeLessThan(DEADLINE_MS + 200);
    await expectOutage();
    await node?.resume();
    expect(await meWhenBack()).toEqual({ user: 'ada', value: 1 });
  });

  it('a Redis that freezes before it was asked how old a login is admits nobody, within the deadline', async () => {
    const [node] = redis.nodes;
    const between = app.get(BetweenGuard);
    expect((await client.send('DELETE', '/account')).status).toBe(200);
    let startedMs = 0;
    using time = new OwnTime();
    between.happen = async () => {
      await node?.pause();
      startedMs = time.ms;
    };
    const answer = await client.send('DELETE', '/account');
    expect(time.ms - startedMs).toBeLessThan(DEADLINE_MS + 200);
    expect([answer.status, answer.body]).toEqual([503, expect.objectContaining({ code: 'sessions-unavailable' })]);
    await node?.resume();
  });

  it('what a handler fails with by itself is told as it is', async () => {
    await kill();
    const failed = await newClient().post('/fails');
    expect([failed.status, failed.headers.get('retry-after'), failed.headers.get('content-type')]).toEqual([
      401,
      null,
      expect.stringMatching(/^application\/json/),
    ]);
    const own = await newClient().post('/own-use');
    expect([own.status, own.headers.get('retry-after'), own.body]).toEqual([502, null, { said: 'by the application' }]);
    expect((await newClient().post('/caught')).body).toEqual({ isCaught: true });
  });

  it('a cookie is given for no session that could not be stored', async () => {
    await kill();
    const answer = await newClient().post('/set', { value: 1 });
    expect([answer.status, answer.cookies]).toEqual([503, []]);
  });

  it.each([
    ['/set', 503],
    ['/fails', 401],
  ])('a save of %s that has failed is not tried once more when the answer is out', async (path, status) => {
    await setUp();
    await redis.nodes[0]?.command('CONFIG', 'SET', 'min-replicas-to-write', 1);
    const saves = jest.spyOn(app.get(SessionRuntime).redis, 'save');
    expect((await client.post(path, { value: 2 })).status).toBe(status);
    expect((await client.get('/bare')).body).toBe('ok');
    expect(saves).toHaveBeenCalledTimes(1);
    await redis.nodes[0]?.command('CONFIG', 'SET', 'min-replicas-to-write', 0);
    expect(await meWhenBack()).toEqual({ user: 'ada', value: 1 });
  });

  it('a session is asked for again where a guard went on without it', async () => {
    await setUp();
    const [node] = redis.nodes;
    await kill();
    PatientGuard.whenAway = async () => {
      await node?.start();
      await eventually(() => expect(isUp()).toBe(true));
    };
    expect(await client.get('/patient')).toMatchObject({ status: 200, body: { user: 'ada' } });
  });

  it('every method of the service rejects with a typed error, within the deadline', async () => {
    const session = await sessions.create({ userId: 1, attributes: { a: 1 } });
    const token = sessions.tokenOf(session)!;
    const [node] = redis.nodes;
    await node?.pause();
    const calls: (() => Promise<unknown>)[] = [
      () => sessions.create(),
      () => sessions.get(token),
      () => sessions.peek(token),
      () => sessions.touch(token),
      () => sessions.update(token, { a: 2 }),
      () => sessions.destroy(token),
      () => sessions.listForUser(1),
      () => sessions.count(1),
      () => sessions.destroyForUser(1, session.handle!),
      () => sessions.destroyAllForUser(1),
      () => sessions.destroyEverySession(),
      () => session.set('b', 1).save(),
      () => session.regenerate(),
      () => session.logIn(2),
      () => session.destroy(),
    ];
    using time = new OwnTime();
    for (const call of calls) await expect(call()).rejects.toThrow(RedisUnavailableError);
    expect(time.ms).toBeLessThan(DEADLINE_MS + 300);
    await node?.resume();
  });
});

expectNoLeakedConnections();

import { setTimeout as sleep } from 'node:timers/promises';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req, type INestApplication } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { RedisModule, redisToken, type RedisConnection, type RedisModuleOptions } from '../../../src/core/index.js';
import { eventually } from '../../../src/testing/index.js';
import { SILENT } from '../redis/open-redis.js';

/** Attributes, and what both libraries have on a session. */
export interface LibrarySession {
  [name: string]: unknown;
  cookie: { maxAge?: number | null; expires?: Date | string | null; originalMaxAge?: number | null };
}

interface LibraryRequest {
  session: LibrarySession & {
    destroy(callback: (error: unknown) => void): void;
    regenerate(callback: (error: unknown) => void): void;
    save(callback: (error: unknown) => void): void;
  };
}

/** Lets requests wait for each other, within a process and across several. */
export class Gates {
  readonly #arrived = new Map<string, number>();
  readonly #open = new Set<string>();

  /** Waits until it is opened. */
  async pass(name: string): Promise<void> {
    this.#arrived.set(name, (this.#arrived.get(name) ?? 0) + 1);
    while (!this.#open.has(name)) await sleep(2);
  }

  /** Opens it as soon as so many wait. */
  async openFor(name: string, count: number): Promise<void> {
    await this.untilWaiting(name, count);
    this.#open.add(name);
  }

  async untilWaiting(name: string, count: number): Promise<void> {
    await eventually(() => {
      if ((this.#arrived.get(name) ?? 0) < count) throw new Error(`Fewer than ${count} requests wait at ${name}.`);
    });
  }
}

/** What an application does with its sessions, in the terms that both libraries share. */
@Controller()
class Pages {
  constructor(@Inject(Gates) private readonly gates: Gates) {}

  @Get()
  read(@Req() { session }: LibraryRequest): unknown {
    return session;
  }

  @Post('set')
  @HttpCode(200)
  set(@Req() { session }: LibraryRequest, @Body() { json }: { json: string }): string {
    for (const [name, value] of Object.entries(JSON.parse(json) as object)) {
      Object.defineProperty(session, name, {
        value: value as unknown,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return 'set';
  }

  /** Changes an attribute once the gate is open, long after it has read the session. */
  @Post('late/:gate/:name')
  @HttpCode(200)
  async late(
    @Req() { session }: LibraryRequest,
    @Param('gate') gate: string,
    @Param('name') name: string,
  ): Promise<string> {
    await this.gates.pass(gate);
    session[name] = name;
    return 'late';
  }

  @Post('push/:name')
  @HttpCode(200)
  push(@Req() { session }: LibraryRequest, @Param('name') name: string): string {
    (session['list'] as string[]).push(name);
    return 'pushed';
  }

  @Post('remove/:name')
  @HttpCode(200)
  remove(@Req() { session }: LibraryRequest, @Param('name') name: string): string {
    Reflect.deleteProperty(session, name);
    return 'removed';
  }

  @Post('remember/:maxAge')
  @HttpCode(200)
  async remember(@Req() { session }: LibraryRequest, @Param('maxAge') maxAge: string): Promise<string> {
    session.cookie.maxAge = Number(maxAge);
    await new Promise((resolve) => session.save(resolve));
    return 'remembered';
  }

  @Post('login')
  @HttpCode(200)
  async login(@Req() request: LibraryRequest): Promise<string> {
    await new Promise((resolve) => request.session.regenerate(resolve));
    request.session['user'] = 7;
    return 'in';
  }

  @Post('logout')
  @HttpCode(200)
  async logout(@Req() { session }: LibraryRequest): Promise<string> {
    await new Promise((resolve) => session.destroy(resolve));
    return 'out';
  }
}

/** One process of a service with sessions. */
export interface StoreService {
  readonly app: INestApplication;
  readonly redis: RedisConnection;
  readonly gates: Gates;
  readonly request: (method: 'GET' | 'POST', path: string, cookie?: string, body?: unknown) => Promise<StoreResponse>;
}

/** What it answers. */
export interface StoreResponse {
  readonly status: number;
  readonly body: string;
  /** What to bring next time: the cookie that was set, else the one that was brought. */
  readonly cookie: string;
  readonly hasSetCookie: boolean;
}

/** The application's module, to be put on an adapter. Gates may be shared by several. */
export async function storeModule(redis: RedisModuleOptions, gates: Gates): Promise<TestingModule> {
  return Test.createTestingModule({
    imports: [RedisModule.forRoot(redis)],
    controllers: [Pages],
    providers: [{ provide: Gates, useValue: gates }],
  })
    .setLogger(SILENT)
    .compile();
}

/** Listens. The caller closes it. */
export async function listen(app: INestApplication, gates: Gates): Promise<StoreService> {
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return {
    app,
    gates,
    redis: app.get<RedisConnection>(redisToken()),
    request: async (method, path, cookie = '', body) => {
      const response = await fetch(`${url}/${path}`, {
        method,
        headers: { cookie, connection: 'close', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const set = response.headers.getSetCookie().at(-1)?.split(';')[0];
      return {
        status: response.status,
        body: await response.text(),
        cookie: set ?? cookie,
        hasSetCookie: set !== undefined,
      };
    },
  };
}

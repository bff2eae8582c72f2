import 'reflect-metadata';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { Controller, Get, Module, Param, Req, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RedisStore } from 'connect-redis';
import expressSession from 'express-session';
import { RedisModule } from 'rookery';
import { Session, SessionGuard, SessionModule } from 'rookery/session';
import { serve } from '../lib/crew.mjs';
import { connect } from '../lib/redis-client.mjs';
import { connectNodeRedis } from '../lib/sessions/node-redis.mjs';
import { SECRETS } from '../lib/sessions/rookery.mjs';
import { ATTRIBUTES, IDLE_MS } from '../lib/sessions/values.mjs';
import { product } from '../lib/values.mjs';

const VALUE = product(1_000);
const COOKIE = { httpOnly: true, secure: false, sameSite: 'lax' };

/** What a handler does with a session: as its parameter ours, and `request.session` of the others. */
const OURS = {
  parameter: Session,
  themeOf: (session) => session.get('theme'),
  async logIn(session, user) {
    for (const [name, value] of Object.entries(ATTRIBUTES)) session.set(name, value);
    await session.logIn(user);
  },
};
const THEIRS = {
  parameter: Req,
  themeOf: ({ session }) => session.theme,
  async logIn({ session }, user) {
    Object.assign(session, { user, ...ATTRIBUTES });
  },
};
/** Nobody saves it at the end of a request. */
const PLAIN = {
  ...THEIRS,
  async logIn(request, user) {
    await THEIRS.logIn(request, user);
    await request.session.save();
  },
};
const NONE = { parameter: Req, themeOf: () => ATTRIBUTES.theme, logIn: async () => undefined };

/** The parts of an application for each kind of session. */
const KINDS = {
  bare: async () => ({ handling: NONE }),
  rookery: async (redis) => ({ handling: OURS, imports: ourImports(redis) }),
  'rookery-guard': async (redis) => ({ handling: OURS, imports: ourImports(redis), guards: [SessionGuard] }),
  'express-session': async (redis) => {
    const client = await connectNodeRedis(redis);
    const store = new RedisStore({ client, prefix: 'shop:session:' });
    const cookie = { ...COOKIE, maxAge: IDLE_MS };
    const settings = { store, secret: SECRETS, resave: false, saveUninitialized: false, cookie };
    return {
      handling: THEIRS,
      prepare: (app) => app.use(expressSession(settings)),
      close: () => client.destroy(),
    };
  },
  getex: async (redis) => {
    const client = await connect(redis);
    return { handling: PLAIN, prepare: (app) => app.use(getexSession(client)), close: () => client.disconnect() };
  },
  'fastify-session': async (redis) => {
    const client = await connectNodeRedis(redis);
    const store = new RedisStore({ client, prefix: 'shop:session:' });
    const cookie = { ...COOKIE, maxAge: IDLE_MS };
    return {
      handling: THEIRS,
      async prepare(app) {
        await app.register(fastifyCookie);
        await app.register(fastifySession, { store, secret: SECRETS, saveUninitialized: false, cookie });
      },
      close: () => client.destroy(),
    };
  },
};

function ourImports({ host, port }) {
  return [
    RedisModule.forRoot({ url: `redis://${host}:${port}`, keyPrefix: 'shop' }),
    SessionModule.forRoot({
      secrets: SECRETS,
      idleTimeout: `${IDLE_MS}ms`,
      cookie: { secure: false },
      redisDeadline: '5s',
    }),
  ];
}

/** The least that a middleware for sessions can do: one GETEX for each request, and no signature. Each user has one already. */
function getexSession(client) {
  const keyOf = (id) => `shop:session:${id}`;
  return (request, response, next) => {
    const { cookie, 'x-user': user } = request.headers;
    if (cookie === undefined) {
      const id = `id-of-${user}`;
      const save = () => client.set(keyOf(id), JSON.stringify(request.session), 'PX', IDLE_MS);
      request.session = { save };
      response.setHeader('Set-Cookie', `sid=${id}; Path=/; HttpOnly; SameSite=Lax`);
      next();
      return;
    }
    client.getex(keyOf(cookie.slice('sid='.length)), 'PX', IDLE_MS).then((json) => {
      request.session = JSON.parse(json);
      next();
    }, next);
  };
}

/** What `@Get('products/:id') find(@Param('id') id, @Session() session) {}` does, and `@UseGuards`, where there is no syntax for it. */
function controllerOf({ parameter, themeOf, logIn }, guards) {
  class ProductsController {
    find(id, session) {
      return { ...VALUE, id, theme: themeOf(session) };
    }
    async logIn(user, session) {
      await logIn(session, user);
      return { user };
    }
  }
  const { prototype } = ProductsController;
  const descriptorOf = (name) => Object.getOwnPropertyDescriptor(prototype, name);
  Param('id')(prototype, 'find', 0);
  parameter()(prototype, 'find', 1);
  Get('products/:id')(prototype, 'find', descriptorOf('find'));
  if (guards.length > 0) UseGuards(...guards)(prototype, 'find', descriptorOf('find'));
  Param('user')(prototype, 'logIn', 0);
  parameter()(prototype, 'logIn', 1);
  Get('login/:user')(prototype, 'logIn', descriptorOf('logIn'));
  Controller()(ProductsController);
  return ProductsController;
}

serve(async ({ kind, redis, adapter }) => {
  const { handling, imports = [], guards = [], prepare, close } = await KINDS[kind](redis);
  class AppModule {}
  Module({ imports, controllers: [controllerOf(handling, guards)] })(AppModule);
  const platform = adapter === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(AppModule, platform, { logger: ['error'] });
  await prepare?.(app);
  await app.listen(0, '127.0.0.1');
  return {
    port: () => app.getHttpServer().address().port,
    close: async () => {
      await app.close();
      close?.();
    },
  };
});

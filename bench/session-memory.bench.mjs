// Claim: a session takes at most 300 bytes in Redis with what it is known by, and the list of a user who has one takes at most 230.
import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RedisModule } from 'rookery';
import { Session, SessionModule } from 'rookery/session';
import { startRedis } from 'rookery/testing';
import { readArgs } from './lib/args.mjs';
import { header, limit, lines } from './lib/report.mjs';
import { many } from './lib/session-work.mjs';
import { PACKAGES, sessions } from './lib/sessions/index.mjs';
import { SECRETS } from './lib/sessions/rookery.mjs';
import { userOf } from './lib/sessions/values.mjs';

/** What is kept is the same each time: there are no rounds. */
const { quick } = readArgs({ rounds: 1 });
const SESSIONS = quick ? 5_000 : 20_000;
const MOST_BYTES = 300;
const MOST_LIST_BYTES = 230;

const SMALL = { theme: 'dark', cart: 3 };
/** Redis packs a hash while none of its values is longer than 64 bytes. This one is. */
const LONG = {
  theme: 'dark',
  cart: [
    { sku: 'LMP-0001', quantity: 2 },
    { sku: 'SHD-0107', quantity: 1 },
  ],
};
/** As many bytes in the session as a user of six characters takes, under a name as long as that of the module's field. */
const STAND_IN = { us: 'abcd' };
const BROWSER =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36';

const flavour = await startRedis();
header(
  `What Redis holds of ${SESSIONS.toLocaleString('en')} sessions, two small attributes in each`,
  PACKAGES,
  flavour,
);
await flavour.stop();

/*
 * What a list takes cannot be read off its key alone: Redis keeps its name and its expiry in tables of its own, which grow by leaps. So sessions with a user, each
 * with a list, are compared with sessions of nobody that hold an attribute of the same size instead: what they differ by is the list, and all that it brings along.
 */
const rows = [];
for (const [device, name] of [
  [undefined, 'rookery'],
  [false, 'rookery, nothing of the device'],
]) {
  const session = await bytesOf(openHttp({ device, attributes: { ...SMALL, ...STAND_IN } }));
  const both = await bytesOf(openHttp({ device, attributes: SMALL, hasUser: true }));
  rows.push({ name, session, list: both - session });
}
const long = await bytesOf(openHttp({ attributes: { ...LONG, ...STAND_IN } }));
const theirs = await bytesOf(openTheirs(SMALL));
const theirsLong = await bytesOf(openTheirs(LONG));
const shown = (bytes) => bytes.toFixed(0).padStart(4);
lines('Bytes of a session', [
  ...rows.map(({ name, session, list }) => [
    name,
    `${shown(session)}, and ${list.toFixed(0)} for the list of its user`,
  ]),
  ['rookery, an attribute of 65 bytes', shown(long)],
  ['connect-redis', `${shown(theirs)}, and no list`],
  ['connect-redis, an attribute of 65 bytes', shown(theirsLong)],
]);
for (const { name, session, list } of rows) {
  limit(`${name}, bytes of a session`, Math.round(session), MOST_BYTES);
  limit(`${name}, bytes of the list of a user with one session`, Math.round(list), MOST_LIST_BYTES);
}

/** What the memory of a Redis of its own has grown by, for each session. */
async function bytesOf(open) {
  const redis = await startRedis();
  const [node] = redis.nodes;
  const { create, close } = await open(node);
  // Connections and scripts are there from the first ones on; those stay.
  await many(100, (i) => create(SESSIONS + i));
  const before = await usedMemory(node);
  await many(SESSIONS, create);
  const after = await usedMemory(node);
  await close();
  await redis.stop();
  return (after - before) / SESSIONS;
}

async function usedMemory(node) {
  // Buffers of clients that have fallen silent, and tables that are being moved, are settled by then.
  await sleep(3_000);
  return Number(/used_memory:(\d+)/.exec(await node.command('INFO', 'memory'))[1]);
}

/** An application whose sessions begin with a request of a browser, one user each. */
function openHttp({ device, attributes, hasUser = false }) {
  return async ({ host, port }) => {
    class AppModule {}
    Module({
      imports: [
        RedisModule.forRoot({ url: `redis://${host}:${port}`, keyPrefix: 'shop' }),
        SessionModule.forRoot({ secrets: SECRETS, redisDeadline: '5s', ...(device === undefined ? {} : { device }) }),
      ],
      controllers: [controllerOf(attributes, hasUser)],
    })(AppModule);
    const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error'] });
    await app.init();
    return {
      async create(i) {
        const { statusCode } = await app
          .getHttpAdapter()
          .getInstance()
          .inject({
            url: `/begin/${userOf(i)}`,
            headers: { 'user-agent': BROWSER },
            remoteAddress: `203.0.${100 + (i >> 8)}.${100 + (i % 100)}`,
          });
        if (statusCode !== 200) throw new Error(`A session was to begin: ${statusCode}`);
      },
      close: () => app.close(),
    };
  };
}

/** What `@Get('begin/:user') begin(@Param('user') user, @Session() session) {}` does, where there is no syntax for it. */
function controllerOf(attributes, hasUser) {
  class SessionsController {
    async begin(user, session) {
      for (const [name, value] of Object.entries(attributes)) session.set(name, value);
      if (hasUser) await session.logIn(user);
      return {};
    }
  }
  const { prototype } = SessionsController;
  Param('user')(prototype, 'begin', 0);
  Session()(prototype, 'begin', 1);
  Get('begin/:user')(prototype, 'begin', Object.getOwnPropertyDescriptor(prototype, 'begin'));
  Controller()(SessionsController);
  return SessionsController;
}

function openTheirs(attributes) {
  return async (redis) => {
    const { create, close } = await sessions['connect-redis']({ redis });
    return { create: (i) => create(userOf(i), attributes), close };
  };
}

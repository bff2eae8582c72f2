import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { RedisConnections, type RedisModuleOptions } from '../../../src/core/index.js';
import { RedisSessionStore } from '../../../src/session/fastify-session/index.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  randomPrefix,
  sharedRedis,
} from '../../support/redis.js';
import { Gates, listen, storeModule, type StoreService } from './store-app.js';
import { describeStore, readFrom, settled, type LibraryStore } from './store-contract.js';

expectNoLeakedConnections();

const HOUR = 3_600_000;

async function serve(
  redis: RedisModuleOptions,
  gates: Gates,
  maxAge: number,
  options: Partial<fastifySession.FastifySessionOptions> = {},
): Promise<StoreService> {
  const module = await storeModule(redis, gates);
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  const store = new RedisSessionStore(module.get(RedisConnections).get(), { redisDeadline: '10s' });
  const secret = 'a secret of the tests, of 32 characters or more';
  await app.register(fastifyCookie as never);
  const cookie = { secure: false, maxAge };
  await app.register(fastifySession, { secret, saveUninitialized: false, cookie, store, ...options });
  return listen(app, gates);
}

describeStore({
  name: 'fastify-session',
  createStore: (redis, options) => new RedisSessionStore(redis, options) as unknown as LibraryStore,
  serve,
});

describeTopologies((topology) => {
  const prefix = randomPrefix();
  let service: StoreService;
  let store: LibraryStore;

  beforeAll(async () => {
    const options = { ...sharedRedis(topology), keyPrefix: prefix };
    service = await serve(options, new Gates(), HOUR, { rolling: false });
    store = new RedisSessionStore(service.redis, { redisDeadline: '10s' }) as unknown as LibraryStore;
  });
  afterAll(async () => {
    await expectEveryKeyExpires(topology, prefix);
    await service.app.close();
  });

  it('does not make a session look changed that was only read', async () => {
    const { cookie } = await service.request('POST', 'set', '', { json: '{"a":1}' });
    const before = service.redis.counters.commands;
    const { body, hasSetCookie } = await service.request('GET', '', cookie);
    expect(service.redis.counters.commands - before).toBe(1);
    expect(hasSetCookie).toBe(false);
    expect(Object.keys(JSON.parse(body) as object).sort()).toEqual(['a', 'cookie']);
  });

  it('knows a copy by its mark, which is stored nowhere', async () => {
    await settled((done) => store.set('one', { cookie: {}, a: 1 }, done));
    const [session, other] = [await readFrom(store, 'one'), await readFrom(store, 'one')];
    await settled((done) => store.set('one', { ...other!, b: 1 }, done));
    await settled((done) => store.set('one', { ...session!, cookie: {}, c: 1 }, done));
    const after = (await readFrom(store, 'one'))!;
    expect([after['a'], after['b'], after['c']]).toEqual([1, 1, 1]);
    expect(JSON.stringify(after)).not.toContain('rookery');
    await settled((done) => store.destroy('one', done));
    await settled((done) => store.set('one', { ...after }, done));
    expect(await readFrom(store, 'one')).toBeNull();
  });
});

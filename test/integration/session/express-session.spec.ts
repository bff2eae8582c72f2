import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ExpressAdapter } from '@nestjs/platform-express';
import session, { type SessionData } from 'express-session';
import {
  RedisConnections,
  RedisUnavailableError,
  type RedisConnection,
  type RedisModuleOptions,
} from '../../../src/core/index.js';
import { RedisSessionStore, SessionStoreUnavailableError } from '../../../src/session/express-session/index.js';
import { eventually, startRedis } from '../../../src/testing/index.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  randomPrefix,
  sharedRedis,
} from '../../support/redis.js';
import { Gates, listen, storeModule, type LibrarySession, type StoreService } from './store-app.js';
import { describeStore, readFrom, settled, type LibraryStore } from './store-contract.js';

expectNoLeakedConnections();

const HOUR = 3_600_000;

async function serve(
  redis: RedisModuleOptions,
  gates: Gates,
  maxAge: number,
  options: Partial<session.SessionOptions> = {},
): Promise<StoreService> {
  const module = await storeModule(redis, gates);
  const app = module.createNestApplication(new ExpressAdapter(), { logger: false });
  const store = new RedisSessionStore(module.get(RedisConnections).get(), { redisDeadline: '10s' });
  const secret = 'a secret of the tests';
  app.use(session({ secret, resave: false, saveUninitialized: false, cookie: { maxAge }, store, ...options }));
  return listen(app, gates);
}

describeStore({
  name: 'express-session',
  createStore: (redis, options) => new RedisSessionStore(redis, options) as unknown as LibraryStore,
  serve,
});

describeTopologies((topology) => {
  const prefix = randomPrefix();
  const gates = new Gates();
  let service: StoreService;
  let redis: RedisConnection;
  let store: RedisSessionStore;
  let names = 0;
  const newName = (): string => `n${(names += 1)}`;

  beforeAll(async () => {
    service = await serve({ ...sharedRedis(topology), keyPrefix: prefix }, gates, HOUR);
    redis = service.redis;
    store = newStore();
  });
  afterAll(async () => {
    await expectEveryKeyExpires(topology, prefix);
    await service.app.close();
  });

  function newStore(name?: string): RedisSessionStore {
    return new RedisSessionStore(redis, { redisDeadline: '10s', ...(name === undefined ? {} : { prefix: name }) });
  }
  const data = (attributes: object): SessionData => attributes as SessionData;
  const set = (sid: string, attributes: object, of = store): Promise<void> =>
    settled((done) => of.set(sid, data(attributes), done));
  const read = (sid: string, of = store): Promise<LibrarySession | null> =>
    readFrom(of as unknown as LibraryStore, sid);
  const length = (of: RedisSessionStore): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      of.length((error, count) => (error === null ? resolve(count) : reject(error)));
    });

  describe('touch', () => {
    it('puts the end off and stores when that is, in one round trip', async () => {
      const sid = newName();
      await set(sid, { cookie: { expires: new Date(Date.now() + 60_000), originalMaxAge: 60_000 }, a: 1 });
      const session = (await read(sid))!;
      // From now on the server knows the script, whichever test comes first.
      await settled((done) => store.touch(sid, data(session), done));
      const expires = new Date(Date.now() + 2 * HOUR);
      session.cookie.expires = expires;
      const before = redis.counters.commands;
      await settled((done) => store.touch(sid, data(session), done));
      expect(redis.counters.commands - before).toBe(1);
      const after = await read(sid);
      expect(new Date(after!.cookie.expires!).getTime()).toBe(expires.getTime());
      expect(after).toMatchObject({ a: 1 });
      await settled((done) => store.touch(sid, data({ cookie: { expires: new Date(Date.now() + 500) } }), done));
      await eventually(async () => expect(await read(sid)).toBeNull());
    });

    it('is what a request without changes does', async () => {
      const { cookie } = await service.request('POST', 'set', '', { json: '{"a":1}' });
      const sid = decodeURIComponent(cookie.split('=s%3A')[1]!).split('.')[0]!;
      const expires = async (): Promise<number> => new Date((await read(sid))!.cookie.expires!).getTime();
      const before = await expires();
      await eventually(async () => {
        await service.request('GET', '', cookie);
        expect(await expires()).toBeGreaterThan(before + 20);
      });
      // The library computes it anew for each request, from two looks at the clock, between which the process may stand still.
      const { originalMaxAge } = (await read(sid))!.cookie;
      expect(originalMaxAge).toBeGreaterThan(HOUR - 1_000);
      expect(originalMaxAge).toBeLessThanOrEqual(HOUR);
    });

    it('does not write attributes, and brings nothing back', async () => {
      const sid = newName();
      await set(sid, { cookie: {}, a: 1 });
      const session = (await read(sid))!;
      Object.assign(session, { a: 2 });
      await settled((done) => store.touch(sid, data(session), done));
      expect(await read(sid)).toMatchObject({ a: 1 });
      await settled((done) => store.destroy(sid, done));
      await settled((done) => store.touch(sid, data(session), done));
      await settled((done) => store.touch(sid, data({ cookie: {} }), done));
      expect(await read(sid)).toBeNull();
    });
  });

  it('loses nothing when requests save what they have not changed', async () => {
    const saving = await serve({ ...sharedRedis(topology), keyPrefix: prefix }, gates, HOUR, { resave: true });
    try {
      const { cookie } = await saving.request('POST', 'set', '', { json: '{"a":1}' });
      const gate = newName();
      const late = saving.request('POST', `late/${gate}/b`, cookie);
      await gates.untilWaiting(gate, 1);
      await saving.request('POST', 'set', cookie, { json: '{"a":2,"c":3}' });
      await gates.openFor(gate, 1);
      await late;
      expect(JSON.parse((await saving.request('GET', '', cookie)).body)).toMatchObject({ a: 2, b: 'b', c: 3 });
    } finally {
      await saving.app.close();
    }
  });

  it('leaves attributes that express-session does not take over where they are', async () => {
    const { cookie } = await service.request('POST', 'set', '', { json: '{"a":1}' });
    const sid = decodeURIComponent(cookie.split('=s%3A')[1]!).split('.')[0]!;
    await set(sid, { ...(await read(sid)), save: 'no function', constructor: 1 });
    await service.request('POST', 'set', cookie, { json: '{"b":2}' });
    expect(await read(sid)).toMatchObject({ a: 1, b: 2, save: 'no function', constructor: 1 });
  });

  it('counts, lists and clears its own sessions and no others', async () => {
    const name = newName();
    const [own, other, inner] = [newStore(name), newStore(`${name}-other`), newStore(`${name}:own`)];
    const ids = Array.from({ length: 60 }, (_, i) => `id-${i}`);
    for (const each of [own, other, inner]) await Promise.all(ids.map((sid, i) => set(sid, { cookie: {}, i }, each)));
    expect([await length(own), await length(other)]).toEqual([60, 60]);
    const all = await new Promise<SessionData[] | undefined>((resolve) => {
      own.all((_, sessions) => resolve(sessions));
    });
    expect(all!.map((each) => (each as unknown as { i: number }).i).sort((a, b) => a - b)).toEqual(
      ids.map((_, i) => i),
    );
    await settled((done) => own.clear(done));
    expect([await length(own), await length(other), await length(inner)]).toEqual([0, 60, 60]);
    const { cookie } = await service.request('POST', 'set', '', { json: '{"a":1}' });
    await settled((done) => store.clear(done));
    expect(JSON.parse((await service.request('GET', '', cookie)).body)).not.toHaveProperty('a');
    expect([await length(store), await length(other)]).toEqual([0, 60]);
  });

  it('needs no callback where express-session needs none', async () => {
    const sid = newName();
    store.set(sid, data({ cookie: {}, a: 1 }));
    store.touch(sid, data({ cookie: {} }));
    expect(await read(sid)).toMatchObject({ a: 1 });
    store.destroy(sid);
    expect(await read(sid)).toBeNull();
    store.set(sid, data({ cookie: {}, a: 1n }));
    store.clear();
    await eventually(async () => expect(await length(store)).toBe(0));
  });
});

describe('without Redis', () => {
  it('tells every callback, and says nothing of a disconnection', async () => {
    await using server = await startRedis();
    const service = await serve({ url: server.url, keyPrefix: 'away' }, new Gates(), HOUR);
    try {
      const store = new RedisSessionStore(service.redis);
      store.on('disconnect', () => expect('disconnect').toBe('never emitted'));
      await server.nodes[0]!.stop();
      const session = { cookie: {} } as SessionData;
      for (const call of [
        settled((done) => store.touch('one', session, done)),
        settled((done) => store.all(done)),
        settled((done) => store.length(done)),
        settled((done) => store.clear(done)),
      ]) {
        await expect(call).rejects.toBeInstanceOf(RedisUnavailableError);
        await expect(call).rejects.toBeInstanceOf(SessionStoreUnavailableError);
      }
      store.set('one', session);
      store.destroy('one');
    } finally {
      await service.app.close();
    }
  });
});

describe('a callback that throws', () => {
  it.each(['Promise.resolve(1)', "Promise.reject(new Error('no'))"])('throws to the process: %s', (work) => {
    const program = `
      const { answer } = await import('./src/session/stores/answer.ts');
      process.on('uncaughtException', (error) => console.log('uncaught', error.message));
      process.on('unhandledRejection', (error) => console.log('unhandled', error.message));
      answer(${work}, () => { console.log('called'); throw new Error('thrown'); });`;
    const args = ['--import', './test/support/typescript.js', '--input-type=module', '--eval', program];
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stdout.trim().split('\n')).toEqual(['called', 'uncaught thrown']);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  EncodeError,
  RedisUnavailableError,
  type RedisConnection,
  type RedisModuleOptions,
} from '../../../src/core/index.js';
import type { SessionStoreOptions } from '../../../src/session/stores/session-store.options.js';
import { eventually, startRedis } from '../../../src/testing/index.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  keysUnder,
  randomPrefix,
  sharedRedis,
} from '../../support/redis.js';
import { Gates, type LibrarySession, type StoreResponse, type StoreService } from './store-app.js';

/** What both stores have. */
export interface LibraryStore {
  get(sid: string, callback: (error: unknown, session?: LibrarySession | null) => void): void;
  set(sid: string, session: LibrarySession, callback: (error?: unknown) => void): void;
  destroy(sid: string, callback: (error?: unknown) => void): void;
}

/** A session library and the store for it. */
export interface StoreLibrary {
  /** What the keys of its sessions hold. */
  readonly name: string;
  readonly createStore: (redis: RedisConnection, options?: SessionStoreOptions) => LibraryStore;
  /** A service that has it, with this `maxAge` for its cookies. */
  readonly serve: (redis: RedisModuleOptions, gates: Gates, maxAge: number) => Promise<StoreService>;
}

const CROWD = 20;
const HOUR = 3_600_000;

export const readFrom = (store: LibraryStore, sid: string): Promise<LibrarySession | null> =>
  new Promise((resolve, reject) =>
    store.get(sid, (error, session) => (error === null ? resolve(session ?? null) : reject(error))),
  );

export const settled = (call: (callback: (error?: unknown) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => call((error) => (error === null ? resolve() : reject(error))));

/** What holds for a session store, whatever library asks for sessions. */
export function describeStore(library: StoreLibrary): void {
  describeTopologies((topology) => {
    const prefix = randomPrefix();
    const gates = new Gates();
    let services: StoreService[];
    let store: LibraryStore;
    let redis: RedisConnection;
    let names = 0;
    const newName = (): string => `n${(names += 1)}`;

    beforeAll(async () => {
      const options = { ...sharedRedis(topology), keyPrefix: prefix, deadline: '10s' as const };
      services = [await library.serve(options, gates, HOUR), await library.serve(options, gates, HOUR)];
      redis = services[0]!.redis;
      store = library.createStore(redis, { redisDeadline: '10s' });
    });
    afterAll(async () => {
      await expectEveryKeyExpires(topology, prefix);
      for (const { app } of services) await app.close();
    });

    const call = (path: string, cookie?: string, body?: unknown, process = 0): Promise<StoreResponse> =>
      services[process]!.request('POST', path, cookie, body);
    const setAll = (attributes: object, cookie?: string): Promise<StoreResponse> =>
      call('set', cookie, { json: JSON.stringify(attributes) });
    /** What the other process sees. */
    const contents = async (cookie: string): Promise<Record<string, unknown>> => {
      const { body } = await services[1]!.request('GET', '', cookie);
      const { cookie: _, ...attributes } = JSON.parse(body) as LibrarySession;
      return attributes;
    };
    const sidOf = (cookie: string): string =>
      decodeURIComponent(cookie.split('=')[1]!).replace(/^s:/, '').split('.')[0]!;
    const keyOf = async (sid: string, of = store): Promise<string> => {
      const before = await keysUnder(topology, prefix);
      await settled((done) => of.destroy(sid, done));
      const after = new Set(await keysUnder(topology, prefix));
      return before.filter((key) => !after.has(key))[0]!;
    };
    const leftMs = async (find: (fields: string[]) => boolean): Promise<number> => {
      for (const key of await keysUnder(topology, prefix)) {
        const fields = ((await redis.send('HGETALL', [key])) as Buffer[]).map(String);
        if (find(fields)) return (await redis.send('PTTL', [key])) as number;
      }
      return -2;
    };

    describe('a session', () => {
      it('is the same in every process, and has an id that Redis does not know', async () => {
        const { cookie } = await setAll({ theme: 'dark', cart: [{ id: 1 }] });
        expect(await contents(cookie)).toEqual({ theme: 'dark', cart: [{ id: 1 }] });
        const sid = sidOf(cookie);
        expect(await readFrom(store, sid)).toMatchObject({ theme: 'dark', cart: [{ id: 1 }] });
        const keys = await keysUnder(topology, prefix);
        const dump = await Promise.all(keys.map((key) => redis.send('HGETALL', [key])));
        expect(JSON.stringify([keys, (dump as Buffer[][]).flat().map(String)])).not.toContain(sid.slice(0, 16));
        expect(await keyOf(sid)).toMatch(new RegExp(`^${prefix}:${library.name}:\\{..\\}:s[\\w-]{27}$`));
      });

      it('lies in a hash, a field for each attribute', async () => {
        const name = newName();
        const { cookie } = await setAll({ [name]: 'dark', '#c': 1 });
        const fields: string[] = [];
        for (const key of await keysUnder(topology, prefix)) {
          const found = ((await redis.send('HGETALL', [key])) as Buffer[]).map(String);
          if (found.includes(name)) fields.push(...found.filter((_, at) => at % 2 === 0));
        }
        expect(fields.sort()).toEqual(['##c', '#c', '#e', 'cookie', name].sort());
        expect((await contents(cookie))['#c']).toBe(1);
      });

      it(`loses nothing when ${CROWD} requests at once change ${CROWD} attributes`, async () => {
        const { cookie } = await setAll({ kept: 1 });
        const gate = newName();
        const all = Array.from({ length: CROWD }, (_, i) => `a${i}`);
        const requests = all.map((name, i) => call(`late/${gate}/${name}`, cookie, undefined, i % 2));
        await gates.openFor(gate, CROWD);
        expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(all.map(() => 200));
        expect(await contents(cookie)).toEqual({ kept: 1, ...Object.fromEntries(all.map((name) => [name, name])) });
      });

      it('keeps what one request removes and another changes within', async () => {
        const { cookie } = await setAll({ list: ['a'], old: 1, other: 1 });
        const gate = newName();
        const late = call(`late/${gate}/new`, cookie);
        await gates.untilWaiting(gate, 1);
        await call('push/b', cookie, undefined, 1);
        await call('remove/old', cookie);
        await gates.openFor(gate, 1);
        await late;
        expect(await contents(cookie)).toEqual({ list: ['a', 'b'], other: 1, new: 'new' });
      });

      it(`does not come back when ${CROWD} requests that have read it go on after the logout`, async () => {
        const gate = newName();
        const cookies: string[] = [];
        for (let i = 0; i < CROWD; i++) cookies.push((await setAll({ user: i })).cookie);
        const requests = cookies.map((cookie, i) => call(`late/${gate}/late`, cookie, undefined, i % 2));
        // Everybody has read before anybody goes out.
        await gates.untilWaiting(gate, CROWD);
        const keys = (await keysUnder(topology, prefix)).length;
        await Promise.all(cookies.map((cookie) => call('logout', cookie, undefined, 1)));
        await gates.openFor(gate, CROWD);
        expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(cookies.map(() => 200));
        expect(await Promise.all(cookies.map((cookie) => readFrom(store, sidOf(cookie))))).toEqual(
          cookies.map(() => null),
        );
        expect((await keysUnder(topology, prefix)).length).toBe(keys - CROWD);
      });

      it('has a new id after a login, and the old one leads nowhere', async () => {
        const before = (await setAll({ theme: 'dark' })).cookie;
        const { cookie } = await call('login', before);
        expect(sidOf(cookie)).not.toBe(sidOf(before));
        expect(await contents(cookie)).toEqual({ user: 7 });
        expect(await readFrom(store, sidOf(before))).toBeNull();
        await setAll({ theme: 'light' }, cookie);
        expect(await contents(cookie)).toEqual({ user: 7, theme: 'light' });
      });

      it('takes attributes of any name, and no prototype', async () => {
        const odd = { '#c': 1, '##e': 2, '': 3, 'a b': 4, ü: 5, '1': 6, '{x}': 7 };
        const hostile = `{"__proto__":{"admin":true,"save":1},"plain":{"__proto__":{"admin":true}},${JSON.stringify(odd).slice(1)}`;
        const { cookie, status } = await call('set', undefined, { json: hostile });
        expect(status).toBe(200);
        const seen = await readFrom(store, sidOf(cookie));
        expect(seen).toMatchObject(odd);
        expect(Object.getPrototypeOf(seen)).toBe(Object.prototype);
        expect([seen!['admin'], Object.hasOwn(seen!, '__proto__')]).toEqual([undefined, false]);
        expect(Object.keys(seen!['plain'] as object)).toEqual(['__proto__']);
        await setAll({ after: 1 }, cookie);
        expect(await contents(cookie)).toMatchObject({ ...odd, after: 1 });
      });

      it('takes thousands of attributes, and lets them go', async () => {
        const sid = newName();
        const many = Object.fromEntries(Array.from({ length: 9_000 }, (_, i) => [`a${i}`, i]));
        await settled((done) => store.set(sid, { cookie: {}, ...many }, done));
        const session = (await readFrom(store, sid))!;
        expect(session).toMatchObject(many);
        for (const name of Object.keys(many)) Reflect.deleteProperty(session, name);
        session['left'] = 1;
        await settled((done) => store.set(sid, session, done));
        expect(
          Object.keys((await readFrom(store, sid))!)
            .filter((name) => !name.startsWith('#'))
            .sort(),
        ).toEqual(['cookie', 'left']);
      });
    });

    describe('the end of a session', () => {
      it('is that of its cookie, to the millisecond', async () => {
        const sid = newName();
        await settled((done) => store.set(sid, { cookie: { expires: new Date(Date.now() + 1_234) }, [sid]: 1 }, done));
        expect(await leftMs((fields) => fields.includes(sid))).toBeLessThanOrEqual(1_234);
        expect(await readFrom(store, sid)).not.toBeNull();
        await eventually(async () => expect(await readFrom(store, sid)).toBeNull());
      });

      it('is a day after its last use without an expiry, or what the store was told', async () => {
        const [day, short, age] = [newName(), newName(), newName()];
        const brief = library.createStore(redis, { ttl: '90s', prefix: 'brief', redisDeadline: '10s' });
        await settled((done) => store.set(day, { cookie: { expires: null }, [day]: 1 }, done));
        await settled((done) => brief.set(short, { cookie: {}, [short]: 1 }, done));
        await settled((done) => store.set(age, { cookie: { originalMaxAge: 5_000 }, [age]: 1 }, done));
        const left = await Promise.all([day, short, age].map((name) => leftMs((fields) => fields.includes(name))));
        expect(left[0]).toBeGreaterThan(24 * HOUR - 60_000);
        expect(left[1]).toBeGreaterThan(30_000);
        expect(left[1]).toBeLessThanOrEqual(90_000);
        expect(left[2]).toBeGreaterThan(0);
        expect(left[2]).toBeLessThanOrEqual(5_000);
      });

      it('comes at once with a cookie that has expired', async () => {
        const [fresh, known] = [newName(), newName()];
        const expired = { expires: new Date(Date.now() - 1_000) };
        await settled((done) => store.set(fresh, { cookie: expired }, done));
        expect(await readFrom(store, fresh)).toBeNull();
        await settled((done) => store.set(known, { cookie: {} }, done));
        const session = (await readFrom(store, known))!;
        session.cookie.expires = expired.expires;
        await settled((done) => store.set(known, session, done));
        expect(await readFrom(store, known)).toBeNull();
      });

      it('stays as one request has put it, when another goes on that has read it before', async () => {
        const name = newName();
        const { cookie } = await setAll({ [name]: 1 });
        const late = call(`late/${name}/late`, cookie);
        await gates.untilWaiting(name, 1);
        await call(`remember/${10 * HOUR}`, cookie, undefined, 1);
        await gates.openFor(name, 1);
        await late;
        // The next request puts the end off by the new lifetime in any case.
        expect(await leftMs((fields) => fields.includes(name))).toBeGreaterThan(9 * HOUR);
        expect((await readFrom(store, sidOf(cookie)))?.cookie.originalMaxAge).toBe(10 * HOUR);
        expect(await contents(cookie)).toEqual({ [name]: 1, late: 'late' });
      });
    });

    describe('by itself', () => {
      it('writes the difference from what it has handed out, also of a copy', async () => {
        const sid = newName();
        await settled((done) => store.set(sid, { cookie: {}, a: 1, b: 1 }, done));
        const [one, other, copied] = [
          await readFrom(store, sid),
          await readFrom(store, sid),
          await readFrom(store, sid),
        ];
        one!['a'] = 2;
        delete other!['b'];
        await settled((done) => store.set(sid, one!, done));
        await settled((done) => store.set(sid, other!, done));
        await settled((done) => store.set(sid, { ...copied!, c: 3 }, done));
        const after = await readFrom(store, sid);
        expect([after!['a'], after!['b'], after!['c']]).toEqual([2, undefined, 3]);
      });

      it('goes on with what it has written', async () => {
        const sid = newName();
        const session: LibrarySession = { cookie: {}, a: 1, b: 1 };
        await settled((done) => store.set(sid, session, done));
        const other = (await readFrom(store, sid))!;
        other['c'] = 1;
        await settled((done) => store.set(sid, other, done));
        delete session['b'];
        await settled((done) => store.set(sid, session, done));
        session['a'] = 2;
        await settled((done) => store.set(sid, session, done));
        const after = await readFrom(store, sid);
        expect([after!['a'], after!['b'], after!['c']]).toEqual([2, undefined, 1]);
        await settled((done) => store.destroy(sid, done));
        await settled((done) => store.set(sid, session, done));
        expect(await readFrom(store, sid)).toBeNull();
      });

      it('stores what it does not know as a whole', async () => {
        const sid = newName();
        await settled((done) => store.set(sid, { cookie: {}, a: 1 }, done));
        await settled((done) => store.set(sid, { cookie: {}, b: 1 }, done));
        const after = await readFrom(store, sid);
        expect([after!['a'], after!['b']]).toEqual([undefined, 1]);
      });

      it('writes nothing late into a session that was made under the same id', async () => {
        const sid = newName();
        await settled((done) => store.set(sid, { cookie: {}, user: 1 }, done));
        const late = (await readFrom(store, sid))!;
        await settled((done) => store.destroy(sid, done));
        await settled((done) => store.set(sid, { cookie: {}, user: 2 }, done));
        late['admin'] = true;
        await settled((done) => store.set(sid, late, done));
        const after = await readFrom(store, sid);
        expect([after!['user'], after!['admin']]).toEqual([2, undefined]);
      });

      it('leaves out what JSON has no form for, and tells what cannot be stored', async () => {
        const sid = newName();
        await settled((done) => store.set(sid, { cookie: {}, a: undefined, b: () => 1, c: new Date(0), d: 1 }, done));
        expect(await readFrom(store, sid)).toMatchObject({ c: '1970-01-01T00:00:00.000Z', d: 1 });
        const cycle: { self?: object } = {};
        cycle.self = cycle;
        for (const value of [1n, cycle]) {
          await expect(settled((done) => store.set(sid, { cookie: {}, value }, done))).rejects.toThrow(EncodeError);
        }
        expect(await readFrom(store, sid)).toMatchObject({ d: 1 });
      });

      it('takes what it cannot read as not there, and leaves it', async () => {
        const sid = newName();
        await settled((done) => store.set(sid, { cookie: {}, [sid]: 1, good: 1 }, done));
        const spoiled = newName();
        await settled((done) => store.set(spoiled, { cookie: {}, [spoiled]: 1 }, done));
        for (const key of await keysUnder(topology, prefix)) {
          if (((await redis.send('HGET', [key, sid])) as Buffer | null) !== null)
            await redis.send('HSET', [key, sid, '{']);
          if (((await redis.send('HGET', [key, spoiled])) as Buffer | null) !== null)
            await redis.send('HDEL', [key, '#c']);
        }
        const session = (await readFrom(store, sid))!;
        expect([session[sid], session['good']]).toEqual([undefined, 1]);
        expect(await readFrom(store, spoiled)).toBeNull();
      });

      it('takes one round trip for each call', async () => {
        const sid = newName();
        const session: LibrarySession = { cookie: {}, a: 1 };
        const calls = [
          () => settled((done) => store.set(sid, session, done)),
          () => readFrom(store, sid),
          () => settled((done) => store.set(sid, Object.assign(session, { b: 1 }), done)),
          () => settled((done) => store.destroy(sid, done)),
        ];
        // The scripts are known from the second time on.
        for (const each of calls) await each();
        for (const each of calls) {
          const before = redis.counters.commands;
          await each();
          expect(redis.counters.commands - before).toBe(1);
        }
      });

      it('takes any text as an id', async () => {
        for (const sid of ['', ' ', '*', '{a}', 'a:b', 'ü', 'x'.repeat(10_000)]) {
          await settled((done) => store.set(sid, { cookie: {}, sid }, done));
          expect((await readFrom(store, sid))?.['sid']).toBe(sid);
        }
      });

      it('refuses options that cannot be', () => {
        expect(() => library.createStore(redis, { ttl: '0s' })).toThrow(/ttl/);
        expect(() => library.createStore(redis, { redisDeadline: '25d' })).toThrow(/redisDeadline/);
        expect(() => library.createStore(redis, { prefix: '' })).toThrow(/name/);
      });
    });
  });

  describe('without Redis', () => {
    it('fails requests with 503 and calls with RedisUnavailableError, and goes on when Redis is back', async () => {
      await using server = await startRedis();
      const service = await library.serve({ url: server.url, keyPrefix: 'away' }, new Gates(), HOUR);
      try {
        const { cookie } = await service.request('POST', 'set', '', { json: '{"a":1}' });
        const store = library.createStore(service.redis);
        const sid = 'one';
        await settled((done) => store.set(sid, { cookie: {} }, done));
        const known = (await readFrom(store, sid))!;
        await server.nodes[0]!.stop();
        expect((await service.request('GET', '', cookie)).status).toBe(503);
        for (const call of [
          readFrom(store, sid),
          settled((done) => store.set(sid, known, done)),
          settled((done) => store.set(sid, { cookie: {} }, done)),
          settled((done) => store.destroy(sid, done)),
        ]) {
          await expect(call).rejects.toBeInstanceOf(RedisUnavailableError);
          await expect(call).rejects.toMatchObject({ status: 503, statusCode: 503, code: 'ROOKERY_REDIS_UNAVAILABLE' });
        }
        await server.nodes[0]!.start();
        await eventually(async () => expect((await service.request('GET', '', cookie)).status).toBe(200));
      } finally {
        await service.app.close();
      }
    });
  });
}

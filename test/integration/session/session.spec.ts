import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { EncodeError, redisToken, type RedisConnection } from '../../../src/core/index.js';
import {
  SessionEndedError,
  SessionService,
  SessionUsageError,
  type SessionHandle,
} from '../../../src/session/index.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  keysUnder,
  randomPrefix,
  sharedRedis,
} from '../../support/redis.js';
import { sessionApp } from '../../support/session-app.js';

describeTopologies((topology) => {
  const prefix = randomPrefix();
  let one: TestingModule;
  let other: TestingModule;
  let sessions: SessionService;
  let elsewhere: SessionService;
  let redis: RedisConnection;
  let users = 0;
  const newUser = (): string => `user-${(users += 1)}`;

  beforeAll(async () => {
    const options = { redis: sharedRedis(topology), prefix };
    one = await sessionApp(options);
    other = await sessionApp(options);
    sessions = one.get(SessionService);
    elsewhere = other.get(SessionService);
    redis = one.get<RedisConnection>(redisToken());
  });
  afterAll(async () => {
    await expectEveryKeyExpires(topology, prefix);
    await one.close();
    await other.close();
  });

  const tokenOf = (session: SessionHandle): string => sessions.tokenOf(session)!;
  const read = async (token: string): Promise<SessionHandle> => {
    const session = await elsewhere.get(token);
    if (session === null) throw new Error('There is no such session.');
    return session;
  };
  const keyOf = async (session: SessionHandle): Promise<string> => {
    const keys = await keysUnder(topology, prefix);
    return keys.find((key) => key.endsWith(`}:s${session.handle!}`))!;
  };
  const contents = async (session: SessionHandle): Promise<string[]> =>
    ((await redis.send('HGETALL', [await keyOf(session)])) as Buffer[]).map(String);

  describe('a session', () => {
    it('is the same in every process', async () => {
      const session = await sessions.create({ userId: 7, attributes: { theme: 'dark', cart: [{ id: 1 }] } });
      const again = await read(tokenOf(session));
      expect([again.userId, again.get('theme'), again.get('cart'), again.isNew]).toEqual([
        '7',
        'dark',
        [{ id: 1 }],
        false,
      ]);
      expect(again.names().sort()).toEqual(['cart', 'theme']);
      expect([again.id, again.handle, again.createdAtMs, again.deadlineMs]).toEqual([
        session.id,
        session.handle,
        session.createdAtMs,
        session.deadlineMs,
      ]);
      expect(session.deadlineMs! - session.createdAtMs!).toBe(12 * 3_600_000);
    });

    it('lies in a hash, a field for each attribute, under a key that does not lead to its id', async () => {
      const session = await sessions.create({ userId: 7, attributes: { theme: 'dark', '#c': 1 } });
      const fields = await contents(session);
      expect(fields[fields.indexOf('theme') + 1]).toBe('"dark"');
      expect((await read(tokenOf(session))).get('#c')).toBe(1);
      const keys = await keysUnder(topology, prefix);
      expect(JSON.stringify([keys, fields])).not.toContain(session.id!.slice(2, 20));
    });

    it('saves what has changed and nothing else', async () => {
      const session = await sessions.create({ attributes: { a: 1, b: { list: [1] }, c: 3 } });
      const mine = await read(tokenOf(session));
      const theirs = await read(tokenOf(session));
      (mine.get('b') as { list: number[] }).list.push(2);
      mine.delete('c');
      theirs.set('a', 2).set('d', 4);
      await mine.save();
      await theirs.save();
      const after = await read(tokenOf(session));
      expect(Object.fromEntries(after.names().map((name) => [name, after.get(name)]))).toEqual({
        a: 2,
        b: { list: [1, 2] },
        d: 4,
      });
      expect([after.hasChanged, after.has('c'), after.has('d')]).toEqual([false, false, true]);
    });

    it('goes on after a save with what was handed out before', async () => {
      const session = await sessions.create();
      const list: number[] = [1];
      await session.set('list', list).save();
      list.push(2);
      await session.save();
      expect((await read(tokenOf(session))).get('list')).toEqual([1, 2]);
    });

    it('is written by one call after the other, and keeps what is changed while one is under way', async () => {
      const session = await sessions.create();
      await session.destroy();
      const { created } = sessions.counters;
      session.set('a', 1).set('b', 1).set('c', 1);
      const saves = [session.save(), session.save()];
      // The first one has been told what to write.
      await Promise.resolve();
      session.delete('a');
      session.set('b', 2);
      session.delete('c');
      session.set('c', 3);
      await Promise.all(saves);
      await session.save();
      expect(sessions.counters.created).toBe(created + 1);
      const saving = session.set('d', 1).save();
      await Promise.resolve();
      session.delete('d');
      await saving;
      expect([session.has('d'), session.hasChanged]).toEqual([false, true]);
      await session.save();
      const after = await read(tokenOf(session));
      expect(Object.fromEntries(after.names().map((name) => [name, after.get(name)]))).toEqual({ b: 2, c: 3 });
    });

    it('logs in with more attributes than one request can have set', async () => {
      const session = await sessions.create();
      for (let part = 0; part < 9; part++) {
        await sessions.update(
          tokenOf(session),
          Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`${part} ${i}`, i])),
        );
      }
      const full = await read(tokenOf(session));
      expect(full.names()).toHaveLength(9_000);
      await full.logIn(newUser());
      expect((await read(tokenOf(full))).names()).toHaveLength(9_000);
      await full.destroy();
    });

    it('is not brought back by whoever comes late', async () => {
      const session = await sessions.create({ userId: newUser(), attributes: { a: 1 } });
      const late = await read(tokenOf(session));
      await session.destroy();
      await expect(late.set('a', 2).save()).rejects.toThrow(SessionEndedError);
      await expect(late.regenerate()).rejects.toThrow(SessionEndedError);
      expect(await sessions.update(tokenOf(late), { a: 3 })).toBe(false);
      expect(await sessions.get(tokenOf(late))).toBeNull();
      expect(await keyOf(late)).toBeUndefined();
    });

    it('holds nothing and is nowhere until something is set', async () => {
      const session = await sessions.create({ attributes: { a: 1 } });
      await session.destroy();
      expect([session.isNew, session.userId, session.handle, session.get('a')]).toEqual([true, null, null, undefined]);
      await session.save();
      expect(session.isNew).toBe(true);
      await session.set('a', 2).save();
      expect((await read(tokenOf(session))).get('a')).toBe(2);
    });

    it.each(['__proto__', 'constructor', 'prototype', '', 'x'.repeat(201)])(
      'has no attribute called %j',
      async (name) => {
        const session = await sessions.create();
        expect(() => session.set(name, 1)).toThrow(SessionUsageError);
        await expect(sessions.update(tokenOf(session), { [name]: 1, ok: 1 })).rejects.toThrow(SessionUsageError);
        expect((await read(tokenOf(session))).names()).toEqual([]);
      },
    );

    it.each([
      ['a bigint', 1n],
      ['a function', () => 1],
      ['a symbol', Symbol('s')],
    ])('refuses %s at once', async (_, value) => {
      const session = await sessions.create({ attributes: { a: 1 } });
      expect(() => session.set('a', value)).toThrow(EncodeError);
      const cycle: { self?: object } = {};
      cycle.self = cycle;
      expect(() => session.set('a', cycle)).toThrow(EncodeError);
      expect([session.get('a'), session.hasChanged]).toEqual([1, false]);
    });

    it('shows no secret to whoever logs it', async () => {
      const session = await sessions.create({ userId: 7, attributes: { a: 'secret' } });
      const { inspect } = await import('node:util');
      for (const shown of [JSON.stringify(session), inspect(session, { depth: 5, showHidden: true })]) {
        expect(shown).not.toContain(session.id!.slice(2));
      }
    });
  });

  describe('a token', () => {
    it.each([
      ['empty', () => ''],
      ['truncated', (token: string) => token.slice(0, -1)],
      ['longer', (token: string) => `${token}A`],
      ['tampered with', (token: string) => token.slice(0, 10) + (token[10] === 'A' ? 'B' : 'A') + token.slice(11)],
      ['signed by another', (token: string) => token.slice(0, 46) + 'A'.repeat(43)],
      ['encoded', (token: string) => encodeURIComponent(token).replace('.', '%2E')],
      ['oversized', (token: string) => token.repeat(1_000)],
      ['with a glob', () => `Aa${'*'.repeat(43)}.${'*'.repeat(43)}`],
      ['with a colon', (token: string) => token.replace(/^..../, 'Aa:}')],
      ['no text', () => ({ toString: () => 'x' }) as unknown as string],
    ])('that is %s is that of nobody, and never reaches Redis', async (_, change) => {
      const session = await sessions.create({ attributes: { a: 1 } });
      const token = change(tokenOf(session));
      const before = redis.counters.commands;
      expect(await sessions.get(token)).toBeNull();
      expect(await sessions.touch(token)).toBe(false);
      expect(await sessions.update(token, { a: 2 })).toBe(false);
      expect(await sessions.destroy(token)).toBe(false);
      expect(redis.counters.commands).toBe(before);
      expect((await read(tokenOf(session))).get('a')).toBe(1);
    });

    it('has 256 random bits, and no two are alike', async () => {
      const ids = new Set<string>();
      for (let i = 0; i < 50; i++) ids.add((await sessions.create({ userId: 1 })).id!.slice(2));
      expect(ids.size).toBe(50);
      for (const id of ids) expect(Buffer.from(id, 'base64url')).toHaveLength(32);
      await sessions.destroyAllForUser(1);
    });
  });

  describe('a login', () => {
    it('gives a new id, and what was there stays', async () => {
      const session = await sessions.create({ attributes: { cart: [1], a: 1 } });
      const before = tokenOf(session);
      session.set('a', 2);
      await session.logIn('ada');
      expect(session.userId).toBe('ada');
      const after = await read(tokenOf(session));
      expect([after.userId, after.get('cart'), after.get('a')]).toEqual(['ada', [1], 2]);
      expect(tokenOf(session)).not.toBe(before);
      const old = await read(before);
      expect([old.userId, old.get('a')]).toEqual([null, 1]);
    });

    it('lets nobody who knew the id before write into it', async () => {
      const session = await sessions.create({ attributes: { a: 1 } });
      const planted = await read(tokenOf(session));
      await session.logIn(newUser());
      await expect(planted.set('role', 'admin').save()).rejects.toThrow(SessionEndedError);
      expect((await read(tokenOf(session))).names()).toEqual(['a']);
    });

    it('keeps what another request has written meanwhile', async () => {
      const session = await sessions.create({ attributes: { kept: 1, gone: 1, mine: 1 } });
      const here = await read(tokenOf(session));
      const there = await read(tokenOf(session));
      await there.set('kept', 2).set('mine', 2).set('added', 2).save();
      there.delete('gone');
      await there.save();
      await here.set('mine', 3).logIn(newUser());
      const after = await read(tokenOf(here));
      expect(Object.fromEntries(after.names().map((name) => [name, after.get(name)]))).toEqual({
        kept: 2,
        mine: 3,
        added: 2,
      });
    });

    it('of somebody else begins with nothing of the one before', async () => {
      const session = await sessions.create({ userId: newUser(), attributes: { private: 1 } });
      const before = tokenOf(session);
      await session.set('mine', 1).logIn(newUser());
      expect((await read(tokenOf(session))).names()).toEqual(['mine']);
      expect(await sessions.get(before)).toBeNull();
    });

    it('of somebody else takes along no object that was read, changed or not', async () => {
      const theirs = { cart: [{ secret: 1 }], seen: [1], unsaved: [1], number: 1 };
      const session = await read(tokenOf(await sessions.create({ userId: newUser(), attributes: theirs })));
      session.get('cart');
      (session.get('seen') as number[]).push(2);
      await session.set('late', [3]).save();
      (session.get('unsaved') as number[]).push(2);
      await session.logIn(newUser());
      expect(session.names()).toEqual([]);
      await session.save();
      expect((await read(tokenOf(session))).names()).toEqual([]);
    });

    it('of somebody else leaves nothing to read under any id of the one before, whichever it came with', async () => {
      const first = await sessions.create({ userId: newUser(), attributes: { private: 1 } });
      const tokens = [tokenOf(first)];
      const withFirst = await read(tokenOf(first));
      await first.regenerate();
      tokens.push(tokenOf(first));
      const withSecond = await read(tokenOf(first));
      await first.regenerate();
      tokens.push(tokenOf(first));
      const { userId } = withFirst;
      await withFirst.logIn(newUser());
      expect(await Promise.all(tokens.map((token) => sessions.get(token)))).toEqual([null, null, null]);
      expect(await sessions.count(userId!)).toBe(0);
      await expect(withSecond.set('a', 1).save()).rejects.toThrow(SessionEndedError);
    });

    it('with an id that was just replaced ends the session, and takes over what was written to it', async () => {
      const user = newUser();
      const strict = await sessionApp({ redis: sharedRedis(topology), prefix, session: { maxPerUser: 1 } });
      try {
        const own = strict.get(SessionService);
        const first = await own.create({ userId: user, attributes: { n: 1 } });
        const underWay = (await own.get(tokenOf(first)))!;
        await first.regenerate();
        await first.set('late', 1).save();
        const evicted = own.counters.evicted;
        await underWay.logIn(user);
        expect((await read(tokenOf(underWay))).names().sort()).toEqual(['late', 'n']);
        expect([await own.count(user), own.counters.evicted]).toEqual([1, evicted]);
        await expect(first.set('more', 1).save()).rejects.toThrow(SessionEndedError);
      } finally {
        await strict.close();
      }
    });

    it.each(['', null, undefined, 1.5, {}, 'x'.repeat(201)])('needs a user, and %j is none', async (user) => {
      const session = await sessions.create({ attributes: { a: 1 } });
      await expect(session.logIn(user as string)).rejects.toThrow(SessionUsageError);
      expect((await read(tokenOf(session))).userId).toBeNull();
    });
  });

  describe('a new id', () => {
    it('is the same session, and the one before can only be read', async () => {
      const user = newUser();
      const session = await sessions.create({ userId: user, attributes: { a: 1 } });
      const { createdAtMs, deadlineMs, handle } = session;
      const before = tokenOf(session);
      await session.regenerate();
      expect([session.createdAtMs, session.deadlineMs]).toEqual([createdAtMs, deadlineMs]);
      expect(session.handle).not.toBe(handle);
      await session.set('a', 2).save();
      expect((await read(before)).get('a')).toBe(1);
      expect((await read(tokenOf(session))).get('a')).toBe(2);
      expect((await sessions.listForUser(user)).map((each) => each.handle)).toEqual([session.handle]);
    });

    it('gets what requests under way write under the one before', async () => {
      const session = await sessions.create({ userId: newUser(), attributes: { a: 1 } });
      const before = tokenOf(session);
      const underWay = await read(before);
      await session.regenerate();
      await underWay.set('b', 2).save();
      expect(await sessions.update(before, { c: 3 })).toBe(true);
      const after = await read(tokenOf(session));
      expect([after.get('a'), after.get('b'), after.get('c')]).toEqual([1, 2, 3]);
    });

    it('gets it also where it was given several meanwhile', async () => {
      const user = newUser();
      const session = await sessions.create({ userId: user, attributes: { a: 1 } });
      const before = tokenOf(session);
      const [underWay, asking, renewing] = [await read(before), await read(before), await read(before)];
      await sessions.create({ userId: user });
      await session.regenerate();
      await session.regenerate();
      await underWay.set('b', 2).save();
      expect(await sessions.update(before, { c: 3 })).toBe(true);
      await renewing.regenerate();
      expect(renewing.handle).toBe(session.handle);
      const after = await read(tokenOf(session));
      expect([after.get('a'), after.get('b'), after.get('c')]).toEqual([1, 2, 3]);
      await sessions.destroyAllForUser(user, { except: asking });
      expect((await sessions.listForUser(user)).map(({ handle }) => handle)).toEqual([session.handle]);
    });

    it('is given once, however many ask at once', async () => {
      const user = newUser();
      const session = await sessions.create({ userId: user });
      const all = await Promise.all(Array.from({ length: 8 }, () => read(tokenOf(session))));
      await Promise.all(all.map((each) => each.regenerate()));
      const withId = all.filter((each) => each.id !== null);
      expect(withId).toHaveLength(1);
      expect(new Set(all.map(({ handle }) => handle)).size).toBe(1);
      expect(await sessions.count(user)).toBe(1);
      await Promise.all(all.map((each, i) => each.set(`by${i}`, i).save()));
      expect((await read(tokenOf(withId[0]!))).names()).toHaveLength(8);
    });

    it('dies with a logout of whoever came with the one before', async () => {
      const user = newUser();
      const session = await sessions.create({ userId: user });
      const underWay = await read(tokenOf(session));
      const before = tokenOf(session);
      await session.regenerate();
      await underWay.destroy();
      expect(await sessions.get(tokenOf(session))).toBeNull();
      expect(await sessions.get(before)).toBeNull();
      expect(await sessions.count(user)).toBe(0);
    });

    it('is found by a logout that comes with one that is not there any more', async () => {
      const strict = await sessionApp({ redis: sharedRedis(topology), prefix, session: { rotationGrace: '0ms' } });
      try {
        const own = strict.get(SessionService);
        const user = newUser();
        const [session, unrelated] = [await own.create({ userId: user }), await own.create({ userId: user })];
        const late = (await own.get(tokenOf(session)))!;
        await session.regenerate();
        const later = (await own.get(tokenOf(session)))!;
        await session.regenerate();
        await later.destroy();
        expect(await own.get(tokenOf(session))).toBeNull();
        await late.destroy();
        expect((await own.listForUser(user)).map(({ handle }) => handle)).toEqual([unrelated.handle]);
        await unrelated.regenerate();
        expect((await own.listForUser(user)).map(({ handle }) => handle)).toEqual([unrelated.handle]);
      } finally {
        await strict.close();
      }
    });

    it('takes the ones before with it when it ends, by whatever way', async () => {
      const ways: ((session: SessionHandle) => Promise<unknown>)[] = [
        (session) => session.destroy(),
        (session) => sessions.destroyForUser(session.userId!, session.handle!),
        (session) => sessions.destroyAllForUser(session.userId!),
      ];
      for (const end of ways) {
        const session = await sessions.create({ userId: newUser() });
        const before = [tokenOf(session)];
        await session.regenerate();
        before.push(tokenOf(session));
        await session.regenerate();
        before.push(tokenOf(session));
        await session.logIn(session.userId!);
        before.push(tokenOf(session));
        await end(session);
        expect(await Promise.all(before.map((token) => sessions.get(token)))).toEqual([null, null, null, null]);
      }
    });

    it('leaves nothing to read where there is no grace', async () => {
      const strict = await sessionApp({ redis: sharedRedis(topology), prefix, session: { rotationGrace: '0ms' } });
      try {
        const own = strict.get(SessionService);
        const session = await own.create({ attributes: { a: 1 } });
        const [first] = [tokenOf(session)];
        await session.regenerate();
        const second = tokenOf(session);
        expect([await own.get(first), (await own.get(second))?.get('a')]).toEqual([null, 1]);
        await session.logIn(newUser());
        expect([await own.get(second), (await own.get(tokenOf(session)))?.get('a')]).toEqual([null, 1]);
      } finally {
        await strict.close();
      }
    });
  });

  describe('the sessions of a user', () => {
    it('are listed, counted and ended', async () => {
      const user = newUser();
      const all: SessionHandle[] = [];
      for (let i = 0; i < 3; i++) all.push(await sessions.create({ userId: user }));
      const listed = await elsewhere.listForUser(user);
      expect(listed.map(({ handle }) => handle).sort()).toEqual(all.map(({ handle }) => handle).sort());
      expect(listed.find(({ handle }) => handle === all[0]!.handle)).toEqual({
        handle: all[0]!.handle,
        createdAtMs: all[0]!.createdAtMs,
        lastSeenMs: all[0]!.createdAtMs,
        deadlineMs: all[0]!.deadlineMs,
        ip: null,
        agent: null,
      });
      expect(await elsewhere.destroyForUser(user, all[1]!.handle!)).toBe(true);
      expect(await elsewhere.destroyForUser(user, all[1]!.handle!)).toBe(false);
      expect(await sessions.count(user)).toBe(2);
      expect(await elsewhere.destroyAllForUser(user, { except: all[0]! })).toBe(1);
      expect((await sessions.listForUser(user)).map(({ handle }) => handle)).toEqual([all[0]!.handle]);
      expect(await elsewhere.destroyAllForUser(user)).toBe(1);
      expect([await sessions.count(user), await sessions.destroyAllForUser(user)]).toEqual([0, 0]);
      for (const session of all) expect(await sessions.get(tokenOf(session))).toBeNull();
    });

    it('are nobody else’s to end', async () => {
      const session = await sessions.create({ userId: newUser() });
      const anonymous = await sessions.create();
      for (const handle of [
        session.handle!,
        anonymous.handle!,
        '*',
        '',
        'x'.repeat(27),
        '../../../../../../../../../',
      ]) {
        expect(await sessions.destroyForUser(newUser(), handle)).toBe(false);
      }
      expect(await sessions.get(tokenOf(session))).not.toBeNull();
      expect(await sessions.get(tokenOf(anonymous))).not.toBeNull();
    });

    it('end all at once, a thousand of them in one round trip', async () => {
      const user = newUser();
      const all = await Promise.all(Array.from({ length: 1_000 }, () => sessions.create({ userId: user })));
      const before = redis.counters.commands;
      expect(await sessions.destroyAllForUser(user, { except: all[7]! })).toBe(999);
      expect(redis.counters.commands - before).toBe(1);
      expect((await sessions.listForUser(user)).map(({ handle }) => handle)).toEqual([all[7]!.handle]);
    }, 60_000);

    it('end also under an id that was just replaced', async () => {
      const user = newUser();
      const session = await sessions.create({ userId: user });
      const before = tokenOf(session);
      await session.regenerate();
      expect(await sessions.destroyAllForUser(user)).toBe(1);
      expect([await sessions.get(before), await sessions.get(tokenOf(session))]).toEqual([null, null]);
    });

    it('keep the one that asks, also when it came with an id that was just replaced', async () => {
      const user = newUser();
      const session = await sessions.create({ userId: user });
      const underWay = await read(tokenOf(session));
      await sessions.create({ userId: user });
      await session.regenerate();
      await sessions.destroyAllForUser(user, { except: underWay });
      expect((await sessions.listForUser(user)).map(({ handle }) => handle)).toEqual([session.handle]);
    });

    it('lie with their list in one slot', async () => {
      const user = newUser();
      for (let i = 0; i < 5; i++) await sessions.create({ userId: user });
      const keys = (await keysUnder(topology, prefix)).filter((key) => key.includes(user));
      expect(keys).toHaveLength(1);
      const group = redis.groupOf(keys[0]!);
      for (const { handle } of await sessions.listForUser(user)) {
        const [key] = (await keysUnder(topology, prefix)).filter((each) => each.endsWith(`:s${handle}`));
        expect(redis.groupOf(key!)).toBe(group);
      }
    });

    it('of all users can be ended', async () => {
      const own = randomPrefix();
      const app = await sessionApp({ redis: sharedRedis(topology), prefix: own });
      try {
        const service = app.get(SessionService);
        const all = await Promise.all(Array.from({ length: 20 }, (_, i) => service.create({ userId: i + 1 })));
        expect(await service.destroyEverySession()).toBe(20);
        for (const session of all) expect(await service.get(service.tokenOf(session)!)).toBeNull();
        expect(await keysUnder(topology, own)).toEqual([]);
        expect(await sessions.count(1)).toBe(0);
      } finally {
        await app.close();
      }
    });
  });

  it('counts what happens', async () => {
    const app = await sessionApp({ redis: sharedRedis(topology), prefix });
    try {
      const service = app.get(SessionService);
      const session = await service.create();
      const token = service.tokenOf(session)!;
      await session.set('a', 1).save();
      await service.get(token);
      await session.regenerate();
      await session.destroy();
      await service.get(token);
      await service.update(token, { a: 2 });
      expect(service.counters).toEqual({
        loaded: 1,
        unknown: 1,
        rejectedCookies: 0,
        created: 1,
        saved: 1,
        lateSaves: 1,
        rotated: 1,
        destroyed: 1,
        evicted: 0,
        refused: 0,
        endsTold: 0,
      });
    } finally {
      await app.close();
    }
  });
});

expectNoLeakedConnections();

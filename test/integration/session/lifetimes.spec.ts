import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { redisToken, type RedisConnection } from '../../../src/core/index.js';
import {
  SessionService,
  TooManySessionsError,
  type SessionEnd,
  type SessionHandle,
} from '../../../src/session/index.js';
import type { SessionModuleOptions } from '../../../src/session/session.options.js';
import { eventually } from '../../../src/testing/index.js';
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
  const apps: TestingModule[] = [];
  let users = 0;
  const newUser = (): string => `user-${(users += 1)}`;

  const open = async (session: Partial<SessionModuleOptions>, own = prefix): Promise<SessionService> => {
    const app = await sessionApp({ redis: sharedRedis(topology), prefix: own, session });
    apps.push(app);
    return app.get(SessionService);
  };
  const redis = (): RedisConnection => apps[0]!.get<RedisConnection>(redisToken());
  const tokenOf = (service: SessionService, session: SessionHandle): string => service.tokenOf(session)!;
  const keyOf = async ({ handle }: SessionHandle): Promise<string> =>
    (await keysUnder(topology, prefix)).find((key) => key.endsWith(`:s${handle}`))!;
  const leftMs = async (session: SessionHandle): Promise<number> =>
    (await redis().send('PTTL', [await keyOf(session)])) as number;
  /** As if so much time had passed. */
  const age = async (session: SessionHandle, left: number): Promise<void> => {
    await redis().send('PEXPIRE', [await keyOf(session), left]);
  };

  let halfAnHour: SessionService;
  beforeAll(async () => {
    halfAnHour = await open({ idleTimeout: '30m', absoluteTimeout: '12h' });
  });
  afterAll(async () => {
    await expectEveryKeyExpires(topology, prefix);
    await Promise.all(apps.map((app) => app.close()));
  });

  describe('a session', () => {
    it('ends when it is not used', async () => {
      const service = await open({ idleTimeout: '50ms' });
      const session = await service.create({ userId: newUser() });
      await eventually(async () => expect(await service.peek(tokenOf(service, session))).toBeNull());
      expect(await service.count(session.userId!)).toBe(0);
    });

    it('ends at its deadline, however much it is used', async () => {
      const service = await open({ idleTimeout: '100ms', absoluteTimeout: '400ms' });
      const session = await service.create();
      const token = tokenOf(service, session);
      let uses = 0;
      await eventually(async () => {
        if (await service.touch(token)) uses += 1;
        expect(await service.get(token)).toBeNull();
      });
      expect(uses).toBeGreaterThan(0);
    });

    it('is put off by its use, once a tenth of its idle timeout is over', async () => {
      const session = await halfAnHour.create({ userId: newUser() });
      await age(session, 28 * 60_000);
      // Another process: this one remembers that it is fresh.
      const other = await open({});
      expect(await other.touch(tokenOf(other, session))).toBe(true);
      expect(await leftMs(session)).toBeLessThanOrEqual(28 * 60_000);
      await age(session, 27 * 60_000 - 1);
      const third = await open({});
      expect(await third.touch(tokenOf(third, session))).toBe(true);
      expect(await leftMs(session)).toBeGreaterThan(29 * 60_000);
      const [{ lastSeenMs, createdAtMs }] = (await halfAnHour.listForUser(session.userId!)) as unknown as [
        { lastSeenMs: number; createdAtMs: number },
      ];
      expect(lastSeenMs).toBeGreaterThan(createdAtMs);
    });

    it('is not put off beyond its deadline, nor written to for that', async () => {
      const service = await open({ idleTimeout: '30m', absoluteTimeout: '20m' });
      const session = await service.create();
      expect(await leftMs(session)).toBeLessThanOrEqual(20 * 60_000);
      const fields = async (): Promise<string> => String(await redis().send('HGETALL', [await keyOf(session)]));
      const before = await fields();
      expect(await service.touch(tokenOf(service, session))).toBe(true);
      expect(await leftMs(session)).toBeLessThanOrEqual(20 * 60_000);
      expect(await fields()).toBe(before);
      await age(session, 60_000);
      const other = await open({ idleTimeout: '30m', absoluteTimeout: '20m' });
      await other.touch(tokenOf(other, session));
      const left = await leftMs(session);
      expect(left).toBeGreaterThan(19 * 60_000);
      expect(left).toBeLessThanOrEqual(20 * 60_000);
    });

    it('is not put off by a look', async () => {
      const session = await halfAnHour.create();
      await age(session, 60_000);
      const other = await open({});
      expect(await other.peek(tokenOf(other, session))).not.toBeNull();
      expect(await leftMs(session)).toBeLessThanOrEqual(60_000);
      await other.get(tokenOf(other, session));
      expect(await leftMs(session)).toBeGreaterThan(60_000);
    });

    it('may have an idle timeout of its own, longer or shorter', async () => {
      const long = await halfAnHour.create({ idleTimeout: '10h', absoluteTimeout: '30d' });
      expect(await leftMs(long)).toBeGreaterThan(9 * 3_600_000);
      await age(long, 8 * 3_600_000);
      const short = await halfAnHour.create({ idleTimeout: '60s' });
      await age(short, 50_000);
      const other = await open({});
      await other.touch(tokenOf(other, long));
      await other.touch(tokenOf(other, short));
      const late = await halfAnHour.create({ idleTimeout: '10h', absoluteTimeout: '30d' });
      // So long that the module's own timeout could have been put off a moment ago.
      await age(late, 29 * 60_000);
      await other.touch(tokenOf(other, late));
      expect(await leftMs(late)).toBeGreaterThan(9 * 3_600_000);
      expect(await leftMs(long)).toBeGreaterThan(9 * 3_600_000);
      const left = await leftMs(short);
      expect(left).toBeGreaterThan(55_000);
      expect(left).toBeLessThanOrEqual(60_000);
    });

    it('under an id that was replaced is not put off', async () => {
      const session = await halfAnHour.create({ userId: newUser() });
      const before = tokenOf(halfAnHour, session);
      const old = (await halfAnHour.get(before))!;
      await session.regenerate();
      const other = await open({});
      expect(await other.touch(before)).toBe(true);
      expect(await leftMs(old)).toBeLessThanOrEqual(10_000);
      expect(await leftMs(session)).toBeGreaterThan(29 * 60_000);
    });

    it('of nobody, over which there was a login, is read until the grace is over, also after a logout', async () => {
      const anonymous = await halfAnHour.create({ attributes: { cart: 1 } });
      const before = tokenOf(halfAnHour, anonymous);
      const old = (await halfAnHour.get(before))!;
      await anonymous.logIn(newUser());
      anonymous.set('address', 'of the user');
      await anonymous.save();
      await anonymous.destroy();
      const read = await halfAnHour.get(before);
      expect([read?.userId, read?.get('cart'), read?.names()]).toEqual([null, 1, ['cart']]);
      expect(await leftMs(old)).toBeLessThanOrEqual(10_000);
    });

    it('that is read without a change is written to once in a tenth of its idle timeout, by many requests too', async () => {
      const session = await halfAnHour.create();
      await age(session, 20 * 60_000);
      const token = tokenOf(halfAnHour, session);
      const others = await Promise.all(Array.from({ length: 3 }, () => open({})));
      await Promise.all(others.flatMap((other) => Array.from({ length: 20 }, () => other.get(token))));
      const seen = String(await redis().send('HGET', [await keyOf(session), '#s']));
      const left = await leftMs(session);
      for (const other of others) await Promise.all(Array.from({ length: 20 }, () => other.get(token)));
      expect(String(await redis().send('HGET', [await keyOf(session), '#s']))).toBe(seen);
      expect(await leftMs(session)).toBeLessThanOrEqual(left);
    });
  });

  describe('a user who may have three sessions', () => {
    it('loses the oldest with the fourth', async () => {
      const service = await open({ maxPerUser: 3 });
      const user = newUser();
      const all: SessionHandle[] = [];
      for (let i = 0; i < 5; i++) {
        all.push(await service.create({ userId: user, attributes: { i } }));
        // Sessions of one millisecond have no order.
        const { createdAtMs } = all.at(-1)!;
        await eventually(async () => expect((await service.create()).createdAtMs).toBeGreaterThan(createdAtMs!));
      }
      const handles = (await service.listForUser(user)).map(({ handle }) => handle);
      expect(handles).toEqual(all.slice(2).map(({ handle }) => handle));
      expect(await Promise.all(all.map(async (each) => (await service.get(tokenOf(service, each)))?.get('i')))).toEqual(
        [undefined, undefined, 2, 3, 4],
      );
      expect(service.counters.evicted).toBe(2);
    });

    it('is refused the fourth where that is asked, and all is as it was', async () => {
      const service = await open({ maxPerUser: 3, whenFull: 'refuse' });
      const user = newUser();
      for (let i = 0; i < 3; i++) await service.create({ userId: user });
      const anonymous = await service.create({ attributes: { cart: 1 } });
      await expect(anonymous.logIn(user)).rejects.toThrow(TooManySessionsError);
      expect(await service.count(user)).toBe(3);
      const after = await service.get(tokenOf(service, anonymous));
      expect([after?.userId, after?.get('cart')]).toEqual([null, 1]);
      const [{ handle }] = (await service.listForUser(user)) as unknown as [{ handle: string }];
      await service.destroyForUser(user, handle);
      await anonymous.logIn(user);
      expect(await service.count(user)).toBe(3);
    });

    it('is refused without a write: what has ended is still in the list', async () => {
      const user = newUser();
      const four = await open({ maxPerUser: 4 });
      const all = [];
      for (let i = 0; i < 4; i++) all.push(await four.create({ userId: user }));
      const index = (await keysUnder(topology, prefix)).find((key) => key.endsWith(`:user:${user}`))!;
      const listed = async (): Promise<unknown> => String(await redis().send('ZRANGE', [index, 0, -1, 'WITHSCORES']));
      const before = await listed();
      await redis().send('DEL', [await keyOf(all[0]!)]);
      const three = await open({ maxPerUser: 3, whenFull: 'refuse' });
      await expect(three.create({ userId: user })).rejects.toThrow(TooManySessionsError);
      expect(await listed()).toBe(before);
      expect(await three.count(user)).toBe(3);
    });

    it('loses with the oldest what its ids before could still be read with', async () => {
      const service = await open({ maxPerUser: 1 });
      const user = newUser();
      const session = await service.create({ userId: user });
      const tokens = [tokenOf(service, session)];
      for (let i = 0; i < 2; i++) {
        await session.regenerate();
        tokens.push(tokenOf(service, session));
      }
      await service.create({ userId: user });
      expect(await Promise.all(tokens.map((token) => service.get(token)))).toEqual([null, null, null]);
    });

    it('logs in over a login where there is no room for more, without ending another', async () => {
      const service = await open({ maxPerUser: 2, whenFull: 'refuse' });
      const user = newUser();
      const other = await service.create({ userId: user });
      const session = await service.create({ userId: user });
      await session.logIn(user);
      const handles = (await service.listForUser(user)).map(({ handle }) => handle);
      expect(handles.sort()).toEqual([other.handle, session.handle].sort());
    });

    it('never has more, however many log in at once', async () => {
      const service = await open({ maxPerUser: 3, whenFull: 'refuse' });
      const other = await open({ maxPerUser: 3, whenFull: 'refuse' });
      const user = newUser();
      const tries = Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? service : other).create({ userId: user }));
      const results = await Promise.allSettled(tries);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
      expect(await service.count(user)).toBe(3);
    });

    it('has room again when one has ended by itself', async () => {
      const service = await open({ maxPerUser: 3, whenFull: 'refuse' });
      const user = newUser();
      const all = await Promise.all(Array.from({ length: 3 }, () => service.create({ userId: user })));
      await age(all[1]!, 1);
      await eventually(() => service.create({ userId: user }));
      expect(await service.count(user)).toBe(3);
    });
  });

  it('the list of a user is rid of those that have ended', async () => {
    const service = await open({ idleTimeout: '20ms' });
    const user = newUser();
    const members = async (): Promise<number> => {
      const index = (await keysUnder(topology, prefix)).find((key) => key.endsWith(`:user:${user}`));
      return index === undefined ? 0 : ((await redis().send('ZCARD', [index])) as number);
    };
    for (let i = 0; i < 30; i++) await service.create({ userId: user });
    await eventually(async () => {
      await service.create({ userId: user });
      expect(await members()).toBeLessThan(10);
    });
    await eventually(async () => {
      expect(await service.listForUser(user)).toEqual([]);
      expect(await members()).toBe(0);
    });
  });

  describe.each([10, 60])('the list of a user with %i sessions that live', (living) => {
    /** A user with so many, made before all others, and what to do with more. */
    const openUser = async () => {
      const user = newUser();
      const tokens: string[] = [];
      const logIn = async (): Promise<string> => {
        const session = await halfAnHour.create({ userId: user });
        const token = tokenOf(halfAnHour, session);
        tokens.push(token);
        return `${prefix}:session:{${token.slice(0, 2)}}:s${session.handle}`;
      };
      for (let i = 0; i < living; i++) await logIn();
      const alive = [...tokens];
      const index = `${prefix}:session:{${alive[0]!.slice(0, 2)}}:user:${user}`;
      return {
        user,
        index,
        logIn,
        /** As its timeout does, of which the list hears nothing. */
        expire: (key: string) => redis().send('DEL', [key]),
        listed: async () => Number(await redis().send('ZCARD', [index])),
        expectAlive: async () => {
          const found = await Promise.all(alive.map((token) => halfAnHour.peek(token)));
          expect(found.filter((session) => session?.userId === user)).toHaveLength(living);
          expect(await halfAnHour.count(user)).toBe(living);
        },
      };
    };

    it('stays of their number, however many begin and end beside them', async () => {
      const { logIn, expire, listed, expectAlive } = await openUser();
      for (let i = 0; i < 200; i++) {
        await expire(await logIn());
        // On average it is 8/7 of them. It is chance that decides, but not in the life of this test.
        expect(await listed()).toBeLessThan(2 * living + 20);
      }
      await expectAlive();
    });

    it('stays of their number, however many new ids one of them is given', async () => {
      const { user, index, expire, listed } = await openUser();
      const session = await halfAnHour.create({ userId: user });
      for (let i = 0; i < 200; i++) {
        const before = session.handle!;
        await session.regenerate();
        await expire(index.replace(`:user:${user}`, `:s${before}`));
        expect(await listed()).toBeLessThan(2 * living + 20);
      }
      expect(await halfAnHour.count(user)).toBe(living + 1);
    });

    it('comes back to their number after many have ended at once', async () => {
      const { logIn, expire, listed, expectAlive } = await openUser();
      const ending = [];
      for (let i = 0; i < 200; i++) ending.push(await logIn());
      for (const key of ending) await expire(key);
      expect(await listed()).toBe(living + 200);
      for (let i = 0; i < 120; i++) await expire(await logIn());
      expect(await listed()).toBeLessThan(2 * living + 20);
      await expectAlive();
    });
  });

  describe('ends', () => {
    const ends = { every: '20ms' } as const;

    it('are told once in all processes together, with what they were', async () => {
      const own = randomPrefix();
      const [one, other] = [await open({ ends }, own), await open({ ends, idleTimeout: '30ms' }, own)];
      const told: SessionEnd[] = [];
      for (const service of [one, other]) service.onEnd((end) => void told.push(end));
      const user = newUser();
      const expired = await other.create({ userId: user });
      const nobodys = await other.create();
      const destroyed = await one.create({ userId: user });
      const revoked = await one.create({ userId: user });
      const handles = new Map([expired, nobodys, destroyed, revoked].map((each, i) => [each.handle, i]));
      await destroyed.destroy();
      await one.destroyForUser(user, revoked.handle!);
      await eventually(() => expect(told).toHaveLength(4));
      const seen = told.map(({ handle, userId, reason }) => [handles.get(handle), userId, reason]);
      expect(seen.sort()).toEqual([
        [0, user, 'expired'],
        [1, null, 'expired'],
        [2, user, 'destroyed'],
        [3, user, 'revoked'],
      ]);
      for (const { atMs } of told) expect(Math.abs(atMs - expired.createdAtMs!)).toBeLessThan(60_000);
      await eventually(() => expect(one.counters.endsTold + other.counters.endsTold).toBe(4));
      expect(told).toHaveLength(4);
    });

    it('are told of evictions and of logins over a login; a new id is no end', async () => {
      const own = randomPrefix();
      const service = await open({ ends, maxPerUser: 1 }, own);
      const told: SessionEnd[] = [];
      service.onEnd((end) => void told.push(end));
      const user = newUser();
      const first = (await service.create({ userId: user })).handle;
      const session = await service.create({ userId: user });
      await session.regenerate();
      await expectEveryKeyExpires(topology, own);
      const before = session.handle;
      await session.logIn(newUser());
      const last = session.handle;
      await session.destroy();
      await eventually(() => expect(told).toHaveLength(3));
      expect(new Map(told.map(({ handle, reason }) => [handle, reason]))).toEqual(
        new Map([
          [first, 'evicted'],
          [before, 'replaced'],
          [last, 'destroyed'],
        ]),
      );
    });

    it('are not told of a session that is in use beyond its first timeout', async () => {
      const own = randomPrefix();
      const service = await open({ ends, idleTimeout: '200ms' }, own);
      const session = await service.create();
      const token = tokenOf(service, session);
      const told: { readonly reason: string; readonly isAlive: boolean }[] = [];
      service.onEnd(async ({ reason }) => {
        told.push({ reason, isAlive: (await service.peek(token)) !== null });
      });
      // Until it has ended by itself, on a machine that stands still for long, or has been used for five times its timeout.
      const until = performance.now() + 1_000;
      let isAlive = true;
      while (isAlive && performance.now() < until) isAlive = await service.touch(token);
      await eventually(() => expect(told).toEqual([{ reason: 'expired', isAlive: false }]));
    });

    it('are told once more when a listener has failed, until all have dealt with them', async () => {
      const own = randomPrefix();
      const service = await open({ ends: { ...ends, retryAfter: '50ms' } }, own);
      const told: string[] = [];
      service.onEnd(({ handle }) => void told.push(handle));
      let failures = 0;
      service.onEnd(() => {
        failures += 1;
        if (failures === 1) throw new Error('once');
        if (failures === 2) return Promise.reject(new Error('twice'));
        return undefined;
      });
      const session = await service.create();
      const { handle } = session;
      await session.destroy();
      await eventually(() => expect(service.counters.endsTold).toBe(1));
      expect([told, failures]).toEqual([[handle, handle, handle], 3]);
    });

    it('are told of although a listener hangs with another, which is told once more and taken out when it is done', async () => {
      const own = randomPrefix();
      const service = await open({ ends: { ...ends, retryAfter: '100ms' } }, own);
      const told: string[] = [];
      const done: (() => void)[] = [];
      const [hung, other] = [await service.create(), await service.create()];
      const handles = [hung.handle, other.handle];
      service.onEnd(({ handle }) => {
        told.push(handle);
        return handle === handles[0] ? new Promise<void>((resolve) => done.push(resolve)) : undefined;
      });
      await hung.destroy();
      await eventually(() => expect(told).toEqual([handles[0]]));
      await other.destroy();
      await eventually(() => expect(told.filter((handle) => handle === handles[0]).length).toBeGreaterThan(1));
      await eventually(() => expect(service.counters.endsTold).toBe(1));
      expect(told).toContain(handles[1]);
      done[0]?.();
      await eventually(() => expect(service.counters.endsTold).toBe(2));
    });

    it('are neither taken nor taken out while nobody listens', async () => {
      const service = await open({ ends }, randomPrefix());
      // Looks as often: what it has told of three times, the other would have looked for once.
      const metronome = await open({ ends }, randomPrefix());
      let ticks = 0;
      metronome.onEnd(() => void (ticks += 1));
      service.onEnd(() => undefined)();
      const session = await service.create();
      const { handle } = session;
      await session.destroy();
      for (let tick = 1; tick <= 3; tick++) {
        await (await metronome.create()).destroy();
        await eventually(() => expect(ticks).toBeGreaterThanOrEqual(tick));
      }
      expect(service.counters.endsTold).toBe(0);
      const told: unknown[] = [];
      service.onEnd((end) => void told.push(end.handle));
      await eventually(() => expect(told).toEqual([handle]));
    });

    it('are kept for a week while nobody listens, also of what has expired at its deadline', async () => {
      const own = randomPrefix();
      const service = await open({ ends, idleTimeout: '30m', absoluteTimeout: '12h' }, own);
      await service.create();
      await (await service.create()).destroy();
      const lists = (await keysUnder(topology, own)).filter((key) => /:(deadlines|ended)$/.test(key)).sort();
      const hours = await Promise.all(lists.map(async (key) => Number(await redis().send('PTTL', [key])) / 3_600_000));
      const byName = Object.fromEntries(lists.map((key, i) => [key.split(':').at(-1), hours[i]]));
      expect(byName['ended']).toBeGreaterThan(7 * 24 - 1);
      expect(byName['deadlines']).toBeGreaterThan(7 * 24 + 12 - 1);
    });

    it('that were taken while the last listener left come again', async () => {
      const own = randomPrefix();
      const service = await open({ ends: { ...ends, retryAfter: '50ms' } }, own);
      const user = newUser();
      const handles = [];
      for (let i = 0; i < 10; i++) handles.push((await service.create({ userId: user })).handle);
      await service.destroyAllForUser(user);
      const told: (string | null)[] = [];
      // All lie in one slot, so they are taken at once.
      const leave = service.onEnd(({ handle }) => {
        told.push(handle);
        leave();
      });
      await eventually(() => expect(told).toHaveLength(1));
      service.onEnd(({ handle }) => void told.push(handle));
      await eventually(() => expect(service.counters.endsTold).toBe(10));
      expect(told.sort()).toEqual(handles.sort());
    });

    it('need the option', () => {
      expect(() => halfAnHour.onEnd(() => undefined)).toThrow(/ends: \{\}/);
    });
  });
});

expectNoLeakedConnections();

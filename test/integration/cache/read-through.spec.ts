import { beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Global, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CacheModule, cacheToken, defineReadThrough, type ReadThroughCache } from '../../../src/cache/index.js';
import { eventually } from '../../../src/testing/index.js';
import { describeStores } from '../../support/cache-world.js';
import { expectNoLeakedConnections } from '../../support/redis.js';

expectNoLeakedConnections();

interface User {
  readonly id: number;
  readonly team: string;
}

@Injectable()
class Users {
  readonly asked: (number | readonly number[])[] = [];
  team = 'red';

  async find(id: number): Promise<User | null> {
    this.asked.push(id);
    return id < 0 ? null : { id, team: this.team };
  }

  async findMany(ids: readonly number[]): Promise<(User | null | undefined)[]> {
    this.asked.push([...ids].sort((a, b) => a - b));
    return ids.map((id) => (id < 0 ? undefined : { id, team: this.team }));
  }
}

@Global()
@Module({ providers: [Users], exports: [Users] })
class UsersModule {}

const options = { ttl: '10m', tags: (user: User | null) => [['team', user?.team ?? '']] } as const;
const BOTH = defineReadThrough<number, User | null>({ name: 'both', ...options });
const ONE = defineReadThrough<number, User | null>({ name: 'one', ...options });
const MANY = defineReadThrough<number, User | null>({ name: 'many', ...options });

describeStores((world) => {
  let users: Users;
  let caches: Record<'both' | 'one' | 'many', ReadThroughCache<number, User | null>>;
  let id = 1_000;

  beforeAll(async () => {
    const app = await world.open({
      imports: [
        UsersModule,
        CacheModule.forReadThrough(BOTH, {
          inject: [Users],
          useFactory: (from: Users) => ({ load: (key) => from.find(key), loadMany: (keys) => from.findMany(keys) }),
        }),
        CacheModule.forReadThrough(ONE, {
          inject: [Users],
          useFactory: (from: Users) => ({ load: (key) => from.find(key) }),
        }),
        CacheModule.forReadThrough(MANY, {
          inject: [Users],
          useFactory: (from: Users) => ({ loadMany: (keys) => from.findMany(keys) }),
        }),
      ],
    });
    users = app.get(Users);
    caches = { both: app.get(cacheToken(BOTH)), one: app.get(cacheToken(ONE)), many: app.get(cacheToken(MANY)) };
  });

  beforeEach(() => {
    id += 100;
    users.asked.length = 0;
    users.team = 'red';
  });

  const red = (of: number): User => ({ id: of, team: 'red' });
  const stored = (name: keyof typeof caches, ...ids: number[]): Promise<void> =>
    eventually(async () => expect(await caches[name].cache.getMany(ids)).not.toContain(undefined));

  it.each(['both', 'one', 'many'] as const)('loads what it does not have, once: %s', async (name) => {
    const cache = caches[name];
    expect(await cache.get(id)).toEqual(red(id));
    await stored(name, id);
    expect(await cache.get(id)).toEqual(red(id));
    expect(users.asked).toEqual([name === 'many' ? [id] : id]);
  });

  it('loads many with one call of the batch loader, and only those that are missing', async () => {
    await caches.both.get(id + 1);
    await stored('both', id + 1);
    users.asked.length = 0;
    expect(await caches.both.getMany([id, id + 1, id + 2, -id])).toEqual([
      red(id),
      red(id + 1),
      red(id + 2),
      undefined,
    ]);
    expect(users.asked).toEqual([[-id, id, id + 2]]);
  });

  it('loads many one by one where there is no batch loader', async () => {
    expect(await caches.one.getMany([id, id + 1])).toEqual([red(id), red(id + 1)]);
    expect([...users.asked].sort()).toEqual([id, id + 1]);
  });

  it('holds the entries of its cache, with its tags', async () => {
    await caches.both.get(id);
    await stored('both', id);
    await caches.both.cache.invalidateTags([['team', 'red']]);
    users.team = 'blue';
    expect(await caches.both.get(id)).toEqual({ id, team: 'blue' });
    await caches.both.cache.set(id, { id, team: 'green' });
    expect(await caches.both.get(id)).toEqual({ id, team: 'green' });
  });

  it('loads anew when it is told to', async () => {
    await caches.both.get(id);
    await stored('both', id);
    users.team = 'blue';
    expect(await caches.both.refresh(id)).toEqual({ id, team: 'blue' });
    expect(await caches.both.cache.get(id)).toEqual({ id, team: 'blue' });
    expect(users.asked).toEqual([id, id]);
  });

  it('refuses a source without a loader at boot', async () => {
    const booting = Test.createTestingModule({
      imports: [CacheModule.forRoot({ store: 'memory' }), CacheModule.forReadThrough(BOTH, { useFactory: () => ({}) })],
    }).compile();
    await expect(booting).rejects.toThrow("The read-through cache 'both' needs a 'load' or a 'loadMany' function.");
  });
});

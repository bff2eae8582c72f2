import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EntryIds } from '../../../src/cache/entry/entry-id.js';
import { writeLease } from '../../../src/cache/entry/entry-format.js';
import type { EntryStore } from '../../../src/cache/store/entry-store.js';
import { RedisUnavailableError } from '../../../src/core/errors/redis.errors.js';
import { startRedis, type RedisServer } from '../../../src/testing/index.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  randomPrefix,
  sharedRedis,
} from '../../support/redis.js';
import { describeEntryStore } from './entry-store.contract.js';
import { openRedisStore, type OpenRedisStore } from './open-redis-store.js';

expectNoLeakedConnections();

describeTopologies((topology) => {
  const prefix = randomPrefix();

  describe.each([
    { size: 'small', isLarge: false },
    // They are claimed in another way.
    { size: 'large', isLarge: true },
  ])('that is used to $size entries', ({ isLarge }) =>
    describeEntryStore(`the Redis store on ${topology}`, async () => {
      const redis = { ...sharedRedis(topology), keyPrefix: prefix };
      const [mine, theirs] = [await openRedisStore(redis), await openRedisStore(redis)];
      if (isLarge) await Promise.all([mine, theirs].map(({ store }) => readLargeEntries(store, prefix)));
      return {
        store: mine.store,
        other: theirs.store,
        prefix,
        close: async () => {
          await expectEveryKeyExpires(topology, prefix);
          await mine.close();
          await theirs.close();
        },
      };
    }),
  );
});

describeTopologies((topology) => {
  it('sends the first end of a load in a turn at once where others wait for it, and else behind what is read next', async () => {
    const prefix = randomPrefix();
    const { store, close } = await openRedisStore({ ...sharedRedis(topology), keyPrefix: prefix });
    const ids = new EntryIds();
    const race = async (entry: string, isUrgent: boolean): Promise<readonly boolean[]> => {
      const marker = writeLease(ids.next());
      expect(await store.claim(entry, marker, 60_000)).toBeNull();
      await new Promise(setImmediate);
      // A renewal leaves at once, and would find the lease if the end of the load were held back.
      return Promise.all([
        store.settle(entry, marker, 'loaded', 60_000, isUrgent),
        store.renew(entry, false, marker, 60_000),
      ]);
    };
    // The first time the server may have to be sent the scripts.
    await race(`${prefix}:{a}1`, true);
    expect(await race(`${prefix}:{a}2`, true)).toEqual([true, false]);
    expect(await race(`${prefix}:{a}3`, false)).toEqual([true, true]);
    await close();
  });
});

/** So that what is read in one test is not enough to get it used to small ones. */
async function readLargeEntries(store: EntryStore, prefix: string): Promise<void> {
  const entry = `${prefix}:{large}`;
  await store.put([{ entry, bytes: Buffer.alloc(8_000_000, 'x'), ttlMs: 60_000 }]);
  for (let i = 0; i < 8; i++) await store.claim(entry, 'marker', 60_000);
}

describe('the Redis store on a server that takes no writes', () => {
  const prefix = randomPrefix();
  const value = Buffer.from('what was there before');
  let server: RedisServer;
  let open: OpenRedisStore;

  beforeAll(async () => {
    server = await startRedis();
    open = await openRedisStore({ url: server.url, keyPrefix: prefix });
    await open.store.put([{ entry: `${prefix}:{there}`, bytes: value, ttlMs: 60_000 }]);
  });
  afterAll(async () => {
    await open.close();
    await server.stop();
  });
  afterEach(() => limitMemory(0));

  const limitMemory = (bytes: number): Promise<unknown> =>
    Promise.all(server.masters.map((node) => node.command('CONFIG', 'SET', 'maxmemory', String(bytes))));
  const claim = (name: string) => open.store.claim(`${prefix}:{${name}}`, 'marker', 60_000);

  it.each([false, true])(
    'is still read, one entry or many of one tick, large ones: %s, and gives no lease',
    async (isLarge) => {
      const absent = `absent, large ones: ${isLarge}`;
      if (isLarge) await readLargeEntries(open.store, prefix);
      await limitMemory(1);
      expect(await claim('there')).toEqual(value);
      expect(await claim(absent)).toBeUndefined();
      expect(await Promise.all([claim('there'), claim(absent)])).toEqual([value, undefined]);
      await limitMemory(0);
      expect(await claim(absent)).toBeNull();
    },
  );

  it('refuses what would have to be written, as a store that cannot be used', async () => {
    await limitMemory(1);
    const { store } = open;
    const writes = [
      store.put([{ entry: `${prefix}:{new}`, bytes: value, ttlMs: 60_000 }]),
      store.invalidateTags({ clock: `${prefix}:{tags}`, tags: [`${prefix}:{tags}:a`] }, 60_000),
    ];
    for (const write of writes) await expect(write).rejects.toBeInstanceOf(RedisUnavailableError);
  });

  it('lets an entry of another Redis type cost the others of its tick nothing', async () => {
    const [node] = server.masters;
    await node?.command('RPUSH', `${prefix}:{list}`, 'of another program');
    expect(await Promise.all([claim('list'), claim('there'), claim('free')])).toEqual([undefined, value, null]);
    expect(await claim('list')).toBeUndefined();
    await open.store.evict([`${prefix}:{list}`]);
    expect(await claim('list')).toBeNull();
  });
});

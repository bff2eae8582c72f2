import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { ANY, MissingScopeError, type Cache, type CacheKey } from '../../../src/cache/index.js';
import { cacheOf, describeCaches, describeStores, readUntilInMemory, settled } from '../../support/cache-world.js';
import { expectNoLeakedConnections, keysUnder, type SharedTopology } from '../../support/redis.js';

expectNoLeakedConnections();

const tenant = new AsyncLocalStorage<CacheKey>();
const as = <T>(scope: CacheKey, work: () => Promise<T>): Promise<T> => tenant.run(scope, work);
const options = { caches: [{ name: 'scoped', scope: () => tenant.getStore() }, { name: 'plain' }] };

describeStores((world) => {
  let app: TestingModule;
  let cache: Cache;
  let key: string;
  let keys = 0;

  beforeAll(async () => {
    app = await world.open(options);
    cache = cacheOf(app).named('scoped');
  });

  beforeEach(() => {
    keys += 1;
    key = `key-${keys}`;
  });

  /** Sets the same in both, does something in the first, and tells what each has left. */
  const isolated = async (change: () => Promise<unknown>, prepare?: () => Promise<unknown>): Promise<unknown[]> => {
    const set = prepare ?? (() => cache.set(key, 'value', { tags: ['tag'] }));
    for (const scope of ['acme', 'umbrella']) {
      await as(scope, async () => {
        await set();
        await cache.set([key, 'warm'], 1);
        if (prepare === undefined) await readUntilInMemory(world, cache, key);
      });
    }
    await as('acme', change);
    return Promise.all([as('acme', () => cache.get(key)), as('umbrella', () => cache.get(key))]);
  };

  describe('one scope and another', () => {
    it('have values of their own, also in memory', async () => {
      for (const scope of ['acme', 'umbrella']) {
        await as(scope, async () => {
          expect(await cache.getOrSet(key, () => scope)).toBe(scope);
          await readUntilInMemory(world, cache, key);
        });
      }
      for (const scope of ['acme', 'umbrella']) expect(await as(scope, () => cache.get(key))).toBe(scope);
    });

    it('load at once, and each is given its own', async () => {
      const found = await Promise.all(
        ['a', 'b', 'a', 'b'].map((scope) => as(scope, () => cache.getOrSet(key, async () => tenant.getStore()))),
      );
      expect(found).toEqual(['a', 'b', 'a', 'b']);
    });

    it('delete apart', async () => {
      expect(await isolated(() => cache.delete(key))).toEqual([undefined, 'value']);
    });

    it('overwrite apart', async () => {
      expect(await isolated(() => cache.set(key, 'other'))).toEqual(['other', 'value']);
    });

    it('invalidate tags apart', async () => {
      expect(await isolated(() => cache.invalidateTags(['tag']))).toEqual([undefined, 'value']);
    });

    it('invalidate patterns apart', async () => {
      expect(await isolated(() => cache.invalidatePattern([key]))).toEqual([undefined, 'value']);
      expect(await isolated(() => cache.invalidatePattern([ANY]))).toEqual([undefined, 'value']);
    });

    it('are cleared apart', async () => {
      expect(await isolated(() => cache.clear())).toEqual([undefined, 'value']);
    });

    it('invalidate segments apart', async () => {
      const segment = cache.segment('lamps');
      const both = (): Promise<unknown[]> =>
        Promise.all(['acme', 'umbrella'].map((scope) => as(scope, () => segment.get(key))));
      await as('acme', () => segment.set(key, 1));
      await as('umbrella', () => segment.set(key, 2));
      expect(await both()).toEqual([1, 2]);
      await as('acme', () => cache.invalidateSegment('lamps'));
      expect(await both()).toEqual([undefined, 2]);
      await as('acme', () => segment.set(key, 1));
      await as('umbrella', () => segment.clear());
      expect(await both()).toEqual([1, undefined]);
    });

    it('do not stop one from storing what it loads while the other invalidates the same tag', async () => {
      const outcome = await as('acme', () =>
        settled(cache, () =>
          cache.getOrSet(
            key,
            async () => {
              await as('umbrella', () => cache.invalidateTags(['tag', 'value']));
              return 'loaded';
            },
            { tags: () => ['tag', 'value'] },
          ),
        ),
      );
      expect(outcome).toBe('stored');
      expect(await as('acme', () => cache.get(key))).toBe('loaded');
    });
  });

  it('tells scopes apart whatever they hold', async () => {
    const scopes: CacheKey[] = [
      'a',
      ['a', 'b'],
      'a,b',
      'a:b',
      ['a:b', ''],
      ['a', ':b'],
      '{a}',
      '*',
      '?',
      '1',
      1,
      '',
      ' ',
      ['', ''],
      null,
      'null',
      true,
      'scope',
      'a}:{b',
      'tags',
      ['a', ['b']],
      [['a', 'b']],
      'A',
      'é',
      'e\u0301',
      '\u0000',
      'x'.repeat(300),
      'x'.repeat(301),
      { id: 1 },
      '%23',
      '#',
    ].filter((scope) => scope !== null);
    for (const [i, scope] of scopes.entries()) await as(scope, () => cache.set(key, i, { tags: ['tag'] }));
    const read = (): Promise<unknown[]> => Promise.all(scopes.map((scope) => as(scope, () => cache.get(key))));
    expect(await read()).toEqual(scopes.map((_, i) => i));
    await as('*', () => cache.clear());
    await as('a', () => cache.invalidateTags(['tag']));
    await as(['a', 'b'], () => cache.invalidatePattern([ANY]));
    const gone = [scopes.indexOf('*'), 0, 1];
    expect(await read()).toEqual(scopes.map((_, i) => (gone.includes(i) ? undefined : i)));
  });

  it('refuses every call outside a scope, and runs no loader', async () => {
    let ran = false;
    const run = (): number => {
      ran = true;
      return 1;
    };
    const calls: (() => Promise<unknown>)[] = [
      () => cache.getOrSet(key, run),
      () => cache.getOrSetMany([key], () => [run()]),
      () => cache.get(key),
      () => cache.getMany([key]),
      () => cache.set(key, 1),
      () => cache.setMany([[key, 1]]),
      () => cache.writeThrough(key, run),
      () => cache.delete(key),
      () => cache.deleteMany([key]),
      () => cache.invalidateTags(['tag']),
      () => cache.invalidateSegment('segment'),
      () => cache.segment('segment').get(key),
      () => cache.invalidatePattern([ANY]),
      () => cache.clear(),
    ];
    for (const call of calls) await expect(call()).rejects.toBeInstanceOf(MissingScopeError);
    await expect(cache.get(key)).rejects.toMatchObject({ code: 'ROOKERY_CACHE_SCOPE', context: { cache: 'scoped' } });
    expect(ran).toBe(false);
  });

  it('leaves caches without a scope alone', async () => {
    const plain = cacheOf(app).named('plain');
    await as('acme', () => plain.set(key, 'shared'));
    await as('umbrella', () => cache.clear());
    expect(await plain.get(key)).toBe('shared');
  });
});

describeCaches((world) => {
  it('holds across processes: one scope, one load', async () => {
    const [mine, theirs] = [await world.open(options), await world.open(options)].map((app) =>
      cacheOf(app).named('scoped'),
    ) as [Cache, Cache];
    let loads = 0;
    const load = (): string => `loaded ${(loads += 1)}`;
    await as('acme', () => settled(mine, () => mine.getOrSet('key', load)));
    expect(await as('acme', () => theirs.getOrSet('key', load))).toBe('loaded 1');
    expect(await as('umbrella', () => theirs.getOrSet('key', load))).toBe('loaded 2');
    await as('acme', () => theirs.delete('key'));
    await world.elsewhere(async () => expect(await as('acme', () => mine.get('key'))).toBeUndefined());
  });

  it('writes nothing outside the scope', async () => {
    const cache = cacheOf(await world.open(options)).named('scoped');
    await as(['acme', 'de'], async () => {
      await cache.set('key', 1, { tags: ['tag'] });
      await cache.segment('lamps').set('key', 1);
      await cache.invalidateTags(['tag']);
    });
    const keys = await keysUnder(world.topology as SharedTopology, `${world.prefix}:cache:scoped:`);
    const mine = keys.filter((key) => !key.includes(':scope:acme:') && !key.includes(':scope:umbrella:'));
    expect(mine.every((key) => key.startsWith(`${world.prefix}:cache:scoped:scope:`))).toBe(true);
    expect(mine.filter((key) => key.includes('acme,de') || key.includes('acme%2Cde')).length).toBeGreaterThanOrEqual(4);
  });
});

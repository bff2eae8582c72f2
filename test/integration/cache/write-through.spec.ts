import { beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import type { CacheService } from '../../../src/cache/index.js';
import { eventually } from '../../../src/testing/index.js';
import { cacheOf, describeCaches, describeStores, readUntilInMemory } from '../../support/cache-world.js';
import { expectNoLeakedConnections } from '../../support/redis.js';

expectNoLeakedConnections();

describeStores((world) => {
  let cache: CacheService;
  let key: string;
  let keys = 0;

  beforeAll(async () => {
    cache = cacheOf(await world.open());
  });

  beforeEach(async () => {
    keys += 1;
    key = `key-${keys}`;
    await cache.set(key, 'before');
    await readUntilInMemory(world, cache, key);
  });

  it('writes to the source first, and then to the cache', async () => {
    const seen: unknown[] = [];
    const value = await cache.writeThrough(key, async () => {
      seen.push(await cache.get(key));
      return 'after';
    });
    expect([value, seen, await cache.get(key)]).toEqual(['after', ['before'], 'after']);
  });

  it('leaves the cache as it was when the source refuses', async () => {
    const refusal = new Error('constraint');
    await expect(cache.writeThrough(key, () => Promise.reject(refusal))).rejects.toBe(refusal);
    expect(await cache.get(key)).toBe('before');
  });

  it('evicts the entry when the source returns nothing', async () => {
    expect(await cache.writeThrough(key, async (): Promise<unknown> => undefined)).toBeUndefined();
    expect(await cache.get(key)).toBeUndefined();
  });

  it('hands out what it cannot encode, and evicts what it should have replaced', async () => {
    const { unencodable } = cache.counters;
    expect(await cache.writeThrough(key, async () => 10n)).toBe(10n);
    expect(await cache.get(key)).toBeUndefined();
    expect(cache.counters.unencodable).toBe(unencodable + 1);
  });

  it('leaves the entry where unless() says so', async () => {
    expect(await cache.writeThrough(key, async () => 'draft', { unless: (value) => value === 'draft' })).toBe('draft');
    expect(await cache.get(key)).toBe('before');
  });

  it('stores under the tags and for the time that the value says', async () => {
    await cache.writeThrough(key, async () => 'after', { tags: (value) => [[key, value]], ttl: () => '1h' });
    await cache.invalidateTags([[key, 'before']]);
    expect(await cache.get(key)).toBe('after');
    await cache.invalidateTags([[key, 'after']]);
    expect(await cache.get(key)).toBeUndefined();
  });

  it('runs no write for a key that cannot be built', async () => {
    const write = jest.fn(() => 1);
    await expect(cache.writeThrough(() => 1, write)).rejects.toMatchObject({ code: 'ROOKERY_KEY_ENCODING' });
    expect(write).not.toHaveBeenCalled();
  });

  it('runs no write for options that make no sense', async () => {
    const write = jest.fn(() => 1);
    await expect(cache.writeThrough(key, write, { jitter: 2 })).rejects.toMatchObject({
      code: 'ROOKERY_CONFIGURATION',
    });
    expect(write).not.toHaveBeenCalled();
  });

  it.each([
    ['tags', { tags: () => [(() => 1) as never] }],
    ['TTL', { ttl: () => 'soon' as '1s' }],
    ['expiry', { expiresAt: new Date(Number.NaN) }],
  ])('does not leave the old value behind when its %s make no sense', async (_name, options) => {
    const write = jest.fn(async () => 'after');
    await expect(cache.writeThrough(key, write, options)).rejects.toThrow();
    expect(await cache.get(key)).toBeUndefined();
  });

  it('is not undone by a load that began before the source was written', async () => {
    let finish: (value: string) => void = () => undefined;
    const load = jest.fn(() => new Promise<string>((resolve) => (finish = resolve)));
    await cache.delete(key);
    const loading = cache.getOrSet(key, load);
    await eventually(() => expect(load).toHaveBeenCalledTimes(1));
    await cache.writeThrough(key, async () => 'after');
    finish('before');
    await loading;
    expect(await cache.get(key)).toBe('after');
    await eventually(() => expect(cache.counters.loadsOvertaken).toBeGreaterThan(0));
    expect(await cache.getOrSet(key, () => 'unused')).toBe('after');
  });

  it('caches the value for those who were waiting for such a load', async () => {
    await cache.delete(key);
    const { loads } = cache.counters;
    await cache.writeThrough(key, async () => 'after');
    expect(await Promise.all([cache.getOrSet(key, () => 'unused'), cache.get(key)])).toEqual(['after', 'after']);
    expect(cache.counters.loads).toBe(loads);
  });
});

describeCaches((world) => {
  it('shows every process the new value', async () => {
    const [mine, theirs] = [cacheOf(await world.open()), cacheOf(await world.open())];
    await mine.set('key', 'before');
    await readUntilInMemory(world, theirs, 'key');
    await mine.writeThrough('key', async () => 'after');
    await world.elsewhere(async () => expect(await theirs.get('key')).toBe('after'));
  });
});

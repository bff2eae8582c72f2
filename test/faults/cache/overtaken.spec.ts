import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { CacheService } from '../../../src/cache/index.js';
import { eventually } from '../../../src/testing/index.js';
import { cacheApp } from '../../support/cache-app.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';

expectNoLeakedConnections();

describeTopologies((topology) => {
  let app: TestingModule;
  let otherProcess: TestingModule;
  let cache: CacheService;
  let others: CacheService;

  beforeEach(async () => {
    const options = { redis: sharedRedis(topology), prefix: randomPrefix() };
    app = await cacheApp(options);
    otherProcess = await cacheApp(options);
    cache = app.get(CacheService);
    others = otherProcess.get(CacheService);
  });
  afterEach(async () => {
    await app.close();
    await otherProcess.close();
  });

  it('does not let a reader join a refresh of an entry that was deleted and written anew before the reader came', async () => {
    const stale = { ttl: '1ms', failSafe: '1m' } as const;
    await cache.set('key', 'first', stale);
    await eventually(async () => expect(await cache.get('key')).toBeUndefined());
    let finish: (value: string) => void = () => undefined;
    let begun = false;
    const slow = cache.getOrSet(
      'key',
      () => {
        begun = true;
        return new Promise<string>((resolve) => (finish = resolve));
      },
      stale,
    );
    await eventually(() => expect(begun).toBe(true));

    expect(await others.delete('key')).toBe(true);
    expect(await others.set('key', 'second', stale)).toBe(true);
    await eventually(async () => expect(await others.get('key')).toBeUndefined());
    const { waits } = cache.counters;
    const reading = cache.getOrSet('key', () => 'third', stale);
    await Promise.race([reading, eventually(() => expect(cache.counters.waits).toBeGreaterThan(waits))]);
    finish('what was there before');
    expect(await slow).toBe('what was there before');
    expect(await reading).toBe('third');
  });

  class NotFound extends Error {
    readonly status = 404;
  }

  it.each<[string, (isThere: boolean) => string | undefined]>([
    ['brings nothing', (isThere) => (isThere ? 'there' : undefined)],
    [
      'says that there is nothing',
      (isThere) => {
        if (!isThere) throw new NotFound();
        return 'there';
      },
    ],
  ])('lets no reader who came after an invalidation join a load from before that %s', async (what, read) => {
    const options = { tags: ['rows'] };
    let isThere = false;
    let finish: () => void = () => undefined;
    const slow = cache.getOrSet(
      what,
      async () => {
        const wasThere = isThere;
        await new Promise<void>((resolve) => (finish = resolve));
        return read(wasThere);
      },
      options,
    );
    const before = slow.catch((error: unknown) => error);
    await eventually(() => expect(cache.counters.loads).toBe(1));
    isThere = true;
    expect(await others.invalidateTags(options.tags)).toBe(true);
    const after = cache.getOrSet(what, async () => read(isThere), options);
    // A round trip later, it has joined.
    await cache.get(what);
    finish();
    expect([undefined, new NotFound()]).toContainEqual(await before);
    expect(await after).toBe('there');
  });
});

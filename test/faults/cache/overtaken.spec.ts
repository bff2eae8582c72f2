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
});

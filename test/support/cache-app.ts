import { Global, Module, type DynamicModule, type ForwardReference, type Provider, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { CacheModule } from '../../src/cache/cache.module.js';
import type { CacheModuleOptions, NamedCacheOptions } from '../../src/cache/cache.options.js';
import { RedisModule } from '../../src/core/redis/redis.module.js';
import type { RedisConnectionOptions } from '../../src/core/redis/config/redis.options.js';
import { CLOCK, systemClock, type Clock } from '../../src/core/time/clock.js';
import { randomPrefix } from './redis.js';

export interface CacheAppOptions {
  /** Null for caches in memory alone, without a RedisModule. */
  readonly redis: RedisConnectionOptions | null;
  /** Default: one that no other test has. */
  readonly prefix?: string;
  readonly cache?: CacheModuleOptions;
  readonly caches?: readonly NamedCacheOptions<never>[];
  readonly providers?: readonly Provider[];
  readonly controllers?: readonly Type[];
  readonly imports?: readonly (Type | DynamicModule | ForwardReference)[];
  /** What the caches go by instead of the machine's time. */
  readonly clock?: Clock;
}

/** An application with caches, wired as a user wires it, and initialised. The caller closes it. */
export async function cacheApp(options: CacheAppOptions): Promise<TestingModule> {
  const { redis, prefix = randomPrefix(), clock = systemClock } = options;
  const store = redis === null ? { store: 'memory' as const } : {};
  const builder = Test.createTestingModule({
    imports: [
      redis === null ? ClockModule : RedisModule.forRoot({ keyPrefix: prefix, ...redis }),
      // The shared machine may be slow, and most tests are not about the deadline.
      CacheModule.forRoot({ redisDeadline: '5s', ...store, ...options.cache }),
      CacheModule.forFeature(...(options.caches ?? [])),
      ...(options.imports ?? []),
    ],
    providers: [...(options.providers ?? [])],
    controllers: [...(options.controllers ?? [])],
  });
  const app = await builder.overrideProvider(CLOCK).useValue(clock).compile();
  return app.init();
}

/** Where there is no RedisModule to bring the clock. */
@Global()
@Module({ providers: [{ provide: CLOCK, useValue: systemClock }], exports: [CLOCK] })
class ClockModule {}

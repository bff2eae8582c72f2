import type { DynamicModule, ForwardReference, Provider, Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { CacheModule } from '../../src/cache/cache.module.js';
import type { CacheModuleOptions, NamedCacheOptions } from '../../src/cache/cache.options.js';
import { RedisModule } from '../../src/core/redis/redis.module.js';
import type { RedisConnectionOptions } from '../../src/core/redis/config/redis.options.js';
import { randomPrefix } from './redis.js';

export interface CacheAppOptions {
  readonly redis: RedisConnectionOptions;
  /** Default: one that no other test has. */
  readonly prefix?: string;
  readonly cache?: CacheModuleOptions;
  readonly caches?: readonly NamedCacheOptions[];
  readonly providers?: readonly Provider[];
  readonly controllers?: readonly Type[];
  readonly imports?: readonly (Type | DynamicModule | ForwardReference)[];
}

/** An application with caches, wired as a user wires it, and initialised. The caller closes it. */
export async function cacheApp(options: CacheAppOptions): Promise<TestingModule> {
  const app = await Test.createTestingModule({
    imports: [
      RedisModule.forRoot({ keyPrefix: options.prefix ?? randomPrefix(), ...options.redis }),
      // The shared machine may be slow, and most tests are not about the deadline.
      CacheModule.forRoot({ redisDeadline: '5s', ...options.cache }),
      CacheModule.forFeature(...(options.caches ?? [])),
      ...(options.imports ?? []),
    ],
    providers: [...(options.providers ?? [])],
    controllers: [...(options.controllers ?? [])],
  }).compile();
  return app.init();
}

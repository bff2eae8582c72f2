import type { ModuleMetadata, Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import type { RedisConnectionOptions, RedisModuleOptions } from '../../src/core/redis/config/redis.options.js';
import { RedisModule } from '../../src/core/redis/redis.module.js';
import { CLOCK, type Clock } from '../../src/core/time/clock.js';
import { LockModule, type LockModuleOptions } from '../../src/lock/index.js';
import { randomPrefix } from './redis.js';

/** An application with locks, as a test describes it. */
export interface LockAppOptions {
  readonly redis: RedisConnectionOptions | RedisModuleOptions;
  /** Default: one that no other test has. */
  readonly prefix?: string;
  readonly lock?: LockModuleOptions;
  readonly providers?: readonly Type[];
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  readonly clock?: Clock;
}

/** An application with locks, wired as a user wires it, and initialised. The caller closes it. */
export async function lockApp(options: LockAppOptions): Promise<TestingModule> {
  const { redis, prefix = randomPrefix(), lock = {}, providers = [], imports = [], clock } = options;
  const builder = Test.createTestingModule({
    imports: [
      RedisModule.forRoot({ keyPrefix: prefix, ...redis }),
      // The shared machine may be slow, and most tests are not about the deadline.
      LockModule.forRoot({ redisDeadline: '5s', ...lock }),
      ...imports,
    ],
    providers: [...providers],
  });
  if (clock !== undefined) builder.overrideProvider(CLOCK).useValue(clock);
  const app = await builder.compile();
  try {
    await app.init();
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

import type { INestApplication, Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModule } from '@nestjs/testing';
import type { RedisConnectionOptions } from '../../src/core/redis/config/redis.options.js';
import { RedisModule } from '../../src/core/redis/redis.module.js';
import { ThrottlerGuard } from '../../src/throttler/guard/throttler.guard.js';
import { ThrottlerModule } from '../../src/throttler/throttler.module.js';
import type { ThrottlerModuleOptions } from '../../src/throttler/throttler.options.js';
import { randomPrefix } from './redis.js';

export interface ThrottlerAppOptions {
  readonly redis: RedisConnectionOptions;
  /** Default: one that no other test has. */
  readonly prefix?: string;
  readonly throttler: ThrottlerModuleOptions;
  readonly controllers?: readonly Type[];
}

/** An application with rate limits, wired as a user wires it, and not initialised yet. */
function throttlerModule({ redis, prefix = randomPrefix(), throttler, controllers = [] }: ThrottlerAppOptions) {
  return Test.createTestingModule({
    imports: [
      RedisModule.forRoot({ keyPrefix: prefix, ...redis }),
      // The shared machine may be slow, and most tests are not about the deadline.
      ThrottlerModule.forRoot({ redisDeadline: '5s', ...throttler }),
    ],
    controllers: [...controllers],
    providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
  });
}

/** The same, initialised, without HTTP. */
export async function throttlerApp(options: ThrottlerAppOptions): Promise<TestingModule> {
  const app = await throttlerModule(options).compile();
  try {
    return await app.init();
  } catch (error) {
    await app.close();
    throw error;
  }
}

export const ADAPTERS = ['express', 'fastify'] as const;

/** The same, listening; with where. The caller closes it. */
export async function throttlerService(
  adapter: (typeof ADAPTERS)[number],
  options: ThrottlerAppOptions,
): Promise<{ readonly app: INestApplication; readonly url: string }> {
  const module = await throttlerModule(options).compile();
  const app = module.createNestApplication(adapter === 'express' ? new ExpressAdapter() : new FastifyAdapter(), {
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  return { app, url: (await app.getUrl()).replace('[::1]', '127.0.0.1') };
}

import type { INestApplication, ModuleMetadata, Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModule, type TestingModuleBuilder } from '@nestjs/testing';
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
  /** Resolvers and gateways. */
  readonly providers?: readonly Type[];
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
}

/** An application with rate limits, wired as a user wires it, and not initialised yet. */
export function throttlerModule(options: ThrottlerAppOptions): TestingModuleBuilder {
  const { redis, prefix = randomPrefix(), throttler, controllers = [], providers = [], imports = [] } = options;
  return Test.createTestingModule({
    imports: [
      RedisModule.forRoot({ keyPrefix: prefix, ...redis }),
      // The shared machine may be slow, and most tests are not about the deadline.
      ThrottlerModule.forRoot({ redisDeadline: '5s', ...throttler }),
      ...imports,
    ],
    controllers: [...controllers],
    providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }, ...providers],
  });
}

/** The same, initialised, without HTTP. */
export async function throttlerApp(options: ThrottlerAppOptions): Promise<TestingModule> {
  return startOrClose(await throttlerModule(options).compile(), (app) => app.init());
}

/** Starts it; closes it, if that fails. */
export async function startOrClose<App extends { close(): Promise<void> }>(
  app: App,
  start: (app: App) => Promise<unknown>,
): Promise<App> {
  try {
    await start(app);
    return app;
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
  await startOrClose(app, () => app.listen(0, '127.0.0.1'));
  return { app, url: (await app.getUrl()).replace('[::1]', '127.0.0.1') };
}

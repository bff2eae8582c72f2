import type { INestApplication, ModuleMetadata, Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModule, type TestingModuleBuilder } from '@nestjs/testing';
import type { RedisConnectionOptions, RedisModuleOptions } from '../../src/core/redis/config/redis.options.js';
import { RedisModule } from '../../src/core/redis/redis.module.js';
import { SessionModule } from '../../src/session/session.module.js';
import type { SessionModuleOptions } from '../../src/session/session.options.js';
import { randomPrefix } from './redis.js';
import { SECRET } from './session-processes/secret.js';

export { SECRET };

/** An application with sessions, as a test describes it. */
export interface SessionAppOptions {
  readonly redis: RedisConnectionOptions | RedisModuleOptions;
  /** Default: one that no other test has. */
  readonly prefix?: string;
  readonly session?: Partial<SessionModuleOptions>;
  readonly controllers?: readonly Type[];
  readonly providers?: NonNullable<ModuleMetadata['providers']>;
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
}

/** An application with sessions, wired as a user wires it, and not initialised yet. */
export function sessionModule(options: SessionAppOptions): TestingModuleBuilder {
  const { redis, prefix = randomPrefix(), session = {}, controllers = [], providers = [], imports = [] } = options;
  return Test.createTestingModule({
    imports: [
      RedisModule.forRoot({ keyPrefix: prefix, ...redis }),
      // The shared machine may be slow, and most tests are not about the deadline.
      SessionModule.forRoot({ secrets: [SECRET], redisDeadline: '5s', ...session }),
      ...imports,
    ],
    controllers: [...controllers],
    providers: [...providers],
  });
}

/** The same, initialised, without HTTP. The caller closes it. */
export async function sessionApp(options: SessionAppOptions): Promise<TestingModule> {
  return startOrClose(await sessionModule(options).compile(), (app) => app.init());
}

export const ADAPTERS = ['express', 'fastify'] as const;

/** The same, listening; with where. The caller closes it. */
export async function sessionService(
  adapter: (typeof ADAPTERS)[number],
  options: SessionAppOptions,
): Promise<{ readonly app: INestApplication; readonly url: string }> {
  const module = await sessionModule(options).compile();
  const app = module.createNestApplication(adapter === 'express' ? new ExpressAdapter() : new FastifyAdapter(), {
    logger: false,
  });
  await startOrClose(app, () => app.listen(0, '127.0.0.1'));
  return { app, url: (await app.getUrl()).replace('[::1]', '127.0.0.1') };
}

async function startOrClose<App extends { close(): Promise<void> }>(
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

import type { LoggerService } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach } from '@jest/globals';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import type { RedisModuleOptions } from '../../../src/core/redis/config/redis.options.js';

/** What goes wrong on purpose need not fill the terminal. */
export const SILENT: LoggerService = { log: () => undefined, warn: () => undefined, error: () => undefined };

const open: TestingModule[] = [];

/** An application of nothing but `RedisModule.forRoot(options)`, closed after the test. */
export async function openModule(options: RedisModuleOptions): Promise<TestingModule> {
  const module = await Test.createTestingModule({ imports: [RedisModule.forRoot(options)] })
    .setLogger(SILENT)
    .compile();
  open.push(module);
  return module.init();
}

/** Its default connection. */
export async function openRedis(options: RedisModuleOptions): Promise<RedisConnection> {
  return (await openModule(options)).get(RedisConnections, { strict: false }).get();
}

/** Call it at the top of a test file that opens connections. */
export function closeAfterEach(): void {
  afterEach(() => Promise.all(open.splice(0).map((module) => module.close())));
}

import type { LoggerService } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import type { WriteBehindDefinition } from '../../src/cache/write-behind/define-write-behind.js';
import { writeBehindToken } from '../../src/cache/write-behind/inject-write-behind.decorator.js';
import type { WriteBehindKey } from '../../src/cache/write-behind/write-behind-key.js';
import { WriteBehindModule } from '../../src/cache/write-behind/write-behind.module.js';
import type { WriteBehindOptions } from '../../src/cache/write-behind/write-behind.options.js';
import type { WriteBehind } from '../../src/cache/write-behind/write-behind.js';
import type { RedisConnectionOptions } from '../../src/core/redis/config/redis.options.js';
import { RedisModule } from '../../src/core/redis/redis.module.js';

/** What goes wrong on purpose need not fill the terminal; a test may look at it. */
export class LogBook implements LoggerService {
  readonly warnings: string[] = [];
  log(): void {}
  error(): void {}
  warn(message: string): void {
    this.warnings.push(message);
  }
}

export interface WriteBehindAppOptions<Value, Key extends WriteBehindKey> {
  readonly definition: WriteBehindDefinition<Value, Key>;
  readonly options: WriteBehindOptions<Value, Key>;
  /** Null for a journal in memory. */
  readonly redis: RedisConnectionOptions | null;
  readonly prefix: string;
  readonly log?: LoggerService;
}

/** One process of an application with a journal, wired as a user wires it. The caller closes it. */
export async function writeBehindApp<Value, Key extends WriteBehindKey>({
  definition,
  options,
  redis,
  prefix,
  log = new LogBook(),
}: WriteBehindAppOptions<Value, Key>): Promise<{
  readonly app: TestingModule;
  readonly journal: WriteBehind<Value, Key>;
}> {
  const useFactory = (): WriteBehindOptions<Value, Key> => ({
    redisDeadline: '5s',
    store: redis === null ? 'memory' : 'redis',
    ...options,
  });
  const app = await Test.createTestingModule({
    imports: [
      ...(redis === null ? [] : [RedisModule.forRoot({ keyPrefix: prefix, ...redis })]),
      WriteBehindModule.register(definition, { useFactory }),
    ],
  })
    .setLogger(log)
    .compile();
  await app.init();
  return { app, journal: app.get<WriteBehind<Value, Key>>(writeBehindToken(definition.name)) };
}

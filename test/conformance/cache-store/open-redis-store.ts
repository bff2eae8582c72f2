import { Test, type TestingModule } from '@nestjs/testing';
import { RedisStore } from '../../../src/cache/store/redis-store.js';
import type { RedisConnectionOptions } from '../../../src/core/redis/config/redis.options.js';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import { SILENT } from '../../integration/redis/open-redis.js';

/** A store with a connection of its own. */
export interface OpenRedisStore {
  readonly store: RedisStore;
  close(): Promise<void>;
}

/** Another process, as far as Redis can tell. The caller closes it. */
export async function openRedisStore(redis: RedisConnectionOptions): Promise<OpenRedisStore> {
  const module = Test.createTestingModule({ imports: [RedisModule.forRoot(redis)] }).setLogger(SILENT);
  const app: TestingModule = await (await module.compile()).init();
  const connection = app.get(RedisConnections, { strict: false }).get();
  const channel = `${connection.keyPrefix}:wake`;
  const store = new RedisStore({ connection, deadlineMs: 5_000, channel, changes: null });
  const close = async (): Promise<void> => {
    store.close();
    await app.close();
  };
  return { store, close };
}

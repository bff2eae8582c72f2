import 'reflect-metadata';
import { Test } from '@nestjs/testing';
import { RedisModule } from 'rookery';
import { CacheModule, CacheService } from 'rookery/cache';

/** An application with a cache, wired as a user wires it. The machine may be busy, and most claims are not about the deadline. */
export async function openCache(redis, cache = {}) {
  const app = await Test.createTestingModule({
    imports: [
      RedisModule.forRoot({ url: urlOf(redis) }),
      CacheModule.forRoot({ ttl: '1h', redisDeadline: '5s', ...cache }),
    ],
  })
    .setLogger(false)
    .compile();
  await app.init();
  return { app, cache: app.get(CacheService) };
}

/** See {@link contenders}. */
export async function openRookery({ redis, tier, load, tags = [], ttlMs = 3_600_000, settings = {} }) {
  const { app, cache } = await openCache(redis, { memory: tier === 'both', ttl: `${ttlMs}ms`, ...settings });
  const options = tags.length === 0 ? undefined : { tags };
  return {
    cache,
    read: (key) => cache.getOrSet(key, () => load(key), options),
    invalidateTags: (changed) => cache.invalidateTags(changed),
    close: () => app.close(),
  };
}

const urlOf = ({ host, port }) => `redis://${host}:${port}`;

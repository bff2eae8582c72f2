import { Injectable } from '@nestjs/common';
import type { KeySpace } from '../core/keys/key-space.js';
import type { Clock } from '../core/time/clock.js';
import type { RedisConnection } from '../core/redis/redis-connection.js';
import type { CacheConfig } from './cache-config.js';
import { Cache } from './cache.js';

/** The default cache, and the way to the named ones where `@InjectCache` cannot be used. */
@Injectable()
export class CacheService extends Cache {
  readonly #find: (name: string) => Cache;

  constructor(
    config: CacheConfig,
    connection: RedisConnection,
    keys: KeySpace,
    clock: Clock,
    find: (name: string) => Cache,
  ) {
    super(config, connection, keys, clock);
    this.#find = find;
  }

  /** The cache that `CacheModule.forFeature` registered under `name`. Throws `ConfigurationError` when there is none. */
  named<Value = unknown>(name: string): Cache<Value> {
    return this.#find(name) as Cache<Value>;
  }
}

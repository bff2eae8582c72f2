import { Inject, Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ConfigurationError } from '../core/errors/configuration.error.js';
import { KeySpace } from '../core/keys/key-space.js';
import { RedisConnections } from '../core/redis/redis-connections.js';
import { publishCounters } from '../core/telemetry/publish-counters.js';
import { CLOCK, type Cancel, type Clock } from '../core/time/clock.js';
import { resolveCacheConfig } from './cache-config.js';
import { CACHE_OPTIONS } from './cache.module-definition.js';
import type { CacheModuleOptions, NamedCacheOptions } from './cache.options.js';
import { CacheService } from './cache.service.js';
import { Cache } from './cache.js';

/** The cache for whatever names none. */
const DEFAULT_CACHE = 'default';

/** Every cache of the application, by name. */
@Injectable()
export class CacheRegistry implements OnModuleInit, BeforeApplicationShutdown {
  /** The default cache. */
  readonly service: CacheService;
  readonly #caches = new Map<string, Cache>();
  readonly #cancels: Cancel[] = [];

  constructor(
    @Inject(CACHE_OPTIONS) private readonly options: CacheModuleOptions,
    private readonly connections: RedisConnections,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.service = new CacheService(...this.#parts({ name: DEFAULT_CACHE }), (name) => this.get(name));
    this.#caches.set(DEFAULT_CACHE, this.service);
  }

  /** The cache of that name. Throws `ConfigurationError`, listing those there are. */
  get(name: string = DEFAULT_CACHE): Cache {
    const cache = this.#caches.get(name);
    if (cache !== undefined) return cache;
    const known = [...this.#caches.keys()].map((key) => `'${key}'`).join(', ');
    throw new ConfigurationError(
      `There is no cache '${name}'; there are ${known}. Register it with CacheModule.forFeature({ name: '${name}' }).`,
    );
  }

  /** Makes a cache. Registering one name twice is an error, since the two would share keys but not settings. */
  define(options: NamedCacheOptions): Cache {
    if (this.#caches.has(options.name)) {
      throw new ConfigurationError(
        `CacheModule: the cache '${options.name}' is registered twice. Register it in one module and inject it elsewhere.`,
      );
    }
    const cache = new Cache(...this.#parts(options));
    this.#caches.set(options.name, cache);
    return cache;
  }

  onModuleInit(): void {
    for (const { name, counters } of this.#caches.values()) {
      this.#cancels.push(publishCounters('cache', { cache: name }, counters));
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel();
    await Promise.all([...this.#caches.values()].map((cache) => cache.drain()));
  }

  #parts({ name, ...own }: NamedCacheOptions): ConstructorParameters<typeof Cache> {
    const { connection: connectionName, ...shared } = this.options;
    const connection = this.connections.get(connectionName);
    const keys = new KeySpace(connection.keyPrefix, 'cache').scope(name);
    return [resolveCacheConfig(name, { ...shared, ...own }), connection, keys, this.clock];
  }
}

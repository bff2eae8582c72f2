import {
  Inject,
  Injectable,
  Optional,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { ConfigurationError } from '../core/errors/configuration.error.js';
import { RedisConnections } from '../core/redis/redis-connections.js';
import { publishCounters } from '../core/telemetry/publish-counters.js';
import { CLOCK, systemClock, type Cancel, type Clock } from '../core/time/clock.js';
import { resolveCacheConfig } from './cache-config.js';
import { CacheCore } from './cache-core.js';
import { CACHE_OPTIONS } from './cache.module-definition.js';
import type { CacheModuleOptions, NamedCacheOptions } from './cache.options.js';
import { CacheService } from './cache.service.js';
import { Cache } from './cache.js';
import { createBackend, type CacheBackend } from './store/cache-backend.js';

/** The cache for whatever names none. */
const DEFAULT_CACHE = 'default';

/** Every cache of the application, by name. */
@Injectable()
export class CacheRegistry implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  /** The default cache. */
  readonly service: CacheService;
  readonly #backend: CacheBackend;
  readonly #caches = new Map<string, { readonly cache: Cache; readonly core: CacheCore }>();
  readonly #cancels: Cancel[] = [];

  constructor(
    @Inject(CACHE_OPTIONS) private readonly options: CacheModuleOptions,
    @Optional() @Inject(RedisConnections) connections: RedisConnections | undefined,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {
    this.#backend = createBackend(options, connections, clock);
    const core = this.#core({ name: DEFAULT_CACHE });
    this.service = new CacheService(core, (name) => this.get(name));
    this.#caches.set(DEFAULT_CACHE, { cache: this.service, core });
  }

  /** The cache of that name. Throws `ConfigurationError`, listing those there are. */
  get(name: string = DEFAULT_CACHE): Cache {
    const found = this.#caches.get(name);
    if (found !== undefined) return found.cache;
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
    const core = this.#core(options);
    const cache = new Cache(core);
    this.#caches.set(options.name, { cache, core });
    return cache;
  }

  onModuleInit(): void {
    for (const { cache } of this.#caches.values()) {
      this.#cancels.push(publishCounters('cache', { cache: cache.name }, cache.counters));
    }
  }

  /** Waits for the word of changes to begin, so that the first requests find their memory in use; not for longer than boot may take. */
  async onApplicationBootstrap(): Promise<void> {
    await this.#backend.ready();
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel();
    await Promise.all([...this.#caches.values()].map(({ core }) => core.drain()));
    this.#backend.close();
  }

  #core({ name, ...own }: NamedCacheOptions): CacheCore {
    const { connection: _connection, store: _store, events: _events, ...shared } = this.options;
    const config = resolveCacheConfig(name, { ...shared, ...own });
    const { store, root, coherence, onChange } = this.#backend.open(config);
    const core = new CacheCore({ config, store, root, coherence, clock: this.clock });
    onChange((key) => core.changed(key));
    return core;
  }
}

import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { KeySpace } from '../../core/keys/key-space.js';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { RedisConnections } from '../../core/redis/redis-connections.js';
import type { Clock } from '../../core/time/clock.js';
import type { CacheConfig } from '../cache-config.js';
import type { CacheModuleOptions } from '../cache.options.js';
import { ALWAYS_COHERENT, type Coherence } from '../memory/coherence.js';
import { ChangeRouter } from './change-router.js';
import type { EntryStore } from './entry-store.js';
import { MemoryStore } from './memory-store.js';
import { RedisStore } from './redis-store.js';

/** What one cache stands on. */
interface OpenedStore {
  readonly store: EntryStore;
  readonly root: KeySpace;
  /** Null for a cache without a memory tier. */
  readonly coherence: Coherence | null;
  /** Names who is to hear of this cache's changed keys. */
  readonly onChange: (changed: (key: string) => void) => void;
}

/** What all caches of the application stand on. */
export interface CacheBackend {
  open(config: CacheConfig): OpenedStore;
  /** Resolves when memory tiers can be used, or after a while. */
  ready(): Promise<void>;
  close(): void;
}

/** How long boot waits for the word of changes. */
const READY_WITHIN = '1s';

/** Redis, or this process. Throws `ConfigurationError` when there is no Redis. */
export function createBackend(
  options: CacheModuleOptions,
  connections: RedisConnections | undefined,
  clock: Clock,
): CacheBackend {
  if (options.store === 'memory') return new MemoryBackend(clock);
  if (connections === undefined) {
    throw new ConfigurationError(
      "CacheModule needs Redis: import RedisModule.forRoot({ url: 'redis://...' }) in the root module, or keep everything in this process with CacheModule.forRoot({ store: 'memory' }).",
    );
  }
  return new RedisBackend(connections.get(options.connection));
}

class RedisBackend implements CacheBackend {
  #router: ChangeRouter | undefined;

  constructor(private readonly connection: RedisConnection) {}

  open({ name, deadlineMs, memory }: CacheConfig): OpenedStore {
    const { connection } = this;
    const root = new KeySpace(connection.keyPrefix, 'cache').scope(name);
    const router = memory === null ? null : this.#changes();
    const feed = router?.feed ?? null;
    const store = new RedisStore({ connection, deadlineMs, channel: `${root.prefix}wake`, changes: feed });
    return { store, root, coherence: feed, onChange: (changed) => router?.add(root.prefix, changed) };
  }

  async ready(): Promise<void> {
    await this.#router?.feed.untilLive({ within: READY_WITHIN }).catch(ignoreSinceItIsBypassed);
  }

  close(): void {
    this.#router?.feed.close();
  }

  #changes(): ChangeRouter {
    const { prefix } = new KeySpace(this.connection.keyPrefix, 'cache');
    this.#router ??= new ChangeRouter(this.connection.changes(prefix), prefix);
    return this.#router;
  }
}

class MemoryBackend implements CacheBackend {
  constructor(private readonly clock: Clock) {}

  open({ name, memory }: CacheConfig): OpenedStore {
    const store = new MemoryStore(this.clock);
    return {
      store,
      root: new KeySpace('local', 'cache').scope(name),
      coherence: memory === null ? null : ALWAYS_COHERENT,
      onChange: (changed) => store.onChange(changed),
    };
  }

  async ready(): Promise<void> {
    // From the start.
  }

  close(): void {
    // Each store has been closed with its cache.
  }
}

function ignoreSinceItIsBypassed(): void {
  // Until changes are heard of, the memory tier is bypassed.
}

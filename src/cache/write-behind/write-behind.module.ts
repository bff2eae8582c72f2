import { Module, type DynamicModule, type InjectionToken, type ModuleMetadata } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { RedisConnections } from '../../core/redis/redis-connections.js';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { CLOCK, systemClock, type Clock } from '../../core/time/clock.js';
import type { Injected } from '../injected.js';
import { CACHE_OPTIONS } from '../cache.module-definition.js';
import type { WriteBehindDefinition } from './define-write-behind.js';
import { writeBehindToken } from './inject-write-behind.decorator.js';
import type { WriteBehindKey } from './write-behind-key.js';
import { WriteBehindRuntime } from './write-behind-runtime.js';
import type { WriteBehindOptions } from './write-behind.options.js';

/** How a journal gets its options: from what the application provides. */
export interface WriteBehindAsyncOptions<
  Value,
  Key extends WriteBehindKey = string | number,
  Tokens extends readonly InjectionToken[] = readonly [],
> {
  readonly imports?: ModuleMetadata['imports'];
  /** What `useFactory` is called with. */
  readonly inject?: readonly [...Tokens];
  readonly useFactory: (
    ...dependencies: Injected<Tokens>
  ) => WriteBehindOptions<Value, Key> | Promise<WriteBehindOptions<Value, Key>>;
}

/** What a journal takes from the cache module, where there is one. */
interface Shared {
  readonly connection?: string;
  readonly store?: 'redis' | 'memory';
}

/** A journal of its own, for `CacheModule.forWriteBehind`: injectable everywhere, and flushed by this process. */
@Module({})
export class WriteBehindModule {
  static register<Value, Key extends WriteBehindKey, const Tokens extends readonly InjectionToken[] = readonly []>(
    definition: WriteBehindDefinition<Value, Key>,
    { imports = [], inject, useFactory }: WriteBehindAsyncOptions<NoInfer<Value>, NoInfer<Key>, Tokens>,
  ): DynamicModule {
    const options = Symbol(`rookery:write-behind:${definition.name}:options`);
    const runtime = Symbol(`rookery:write-behind:${definition.name}:runtime`);
    const token = writeBehindToken(definition.name);
    return {
      module: WriteBehindModule,
      global: true,
      imports,
      providers: [
        { provide: options, inject: [...(inject ?? [])], useFactory },
        {
          provide: runtime,
          inject: [ModulesContainer, options, optional(CACHE_OPTIONS), optional(RedisConnections), optional(CLOCK)],
          useFactory: (
            application: ModulesContainer,
            own: WriteBehindOptions<Value, Key>,
            shared?: Shared,
            redis?: RedisConnections,
            clock: Clock = systemClock,
          ) => new WriteBehindRuntime(definition, own, connectionFor(own, shared, redis), clock, application),
        },
        { provide: token, inject: [runtime], useFactory: (made: WriteBehindRuntime<Value, Key>) => made.writeBehind },
      ],
      exports: [token],
    };
  }
}

const optional = (token: InjectionToken) => ({ token, optional: true });

/** Null for a journal in the process. */
function connectionFor(own: Shared, shared: Shared = {}, redis?: RedisConnections) {
  const { store = shared.store ?? 'redis', connection = shared.connection } = own;
  if (store === 'memory') return null;
  if (redis !== undefined) return redis.get(connection);
  throw new ConfigurationError(
    "CacheModule.forWriteBehind: there is no Redis. Import RedisModule.forRoot(), or set store: 'memory'.",
  );
}

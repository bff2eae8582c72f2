import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { CLOCK, systemClock } from '../time/clock.js';
import { redisToken } from './inject-redis.decorator.js';
import { DEFAULT_CONNECTION } from './config/redis-config.js';
import { RedisConnections } from './redis-connections.js';
import { ConfigurableModuleClass, type ASYNC_OPTIONS_TYPE, type OPTIONS_TYPE } from './redis.module-definition.js';

/**
 * The connections to Redis that every other module of Rookery stands on. Import it once, at the root.
 *
 * The application boots whether Redis is there or not, unless a connection is `required`, and finds it by itself when it comes back.
 */
@Module({
  providers: [{ provide: CLOCK, useValue: systemClock }, RedisConnections, connectionProvider(DEFAULT_CONNECTION)],
  exports: [CLOCK, RedisConnections, redisToken()],
})
export class RedisModule extends ConfigurableModuleClass {
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return withNamed(super.forRoot(options), Object.keys(options.connections ?? {}));
  }

  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return withNamed(super.forRootAsync(options), options.connectionNames ?? []);
  }
}

function withNamed(module: DynamicModule, names: readonly string[]): DynamicModule {
  return {
    ...module,
    providers: [...(module.providers ?? []), ...names.map(connectionProvider)],
    exports: [...(module.exports ?? []), ...names.map((name) => redisToken(name))],
  };
}

function connectionProvider(name: string): Provider {
  return {
    provide: redisToken(name),
    inject: [RedisConnections],
    useFactory: (connections: RedisConnections) => connections.get(name),
  };
}

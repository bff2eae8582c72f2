import { Inject } from '@nestjs/common';
import { DEFAULT_CONNECTION } from './config/redis-config.js';

/**
 * Token of the connection of that name. The same name gives the same token, also across copies of the package. It stands in Nest's
 * message when nothing provides it, and so says what to do.
 */
export function redisToken(name: string = DEFAULT_CONNECTION): symbol {
  const remedy =
    name === DEFAULT_CONNECTION
      ? 'import RedisModule.forRoot()'
      : `add it to 'connections' of RedisModule.forRoot(), or to 'connectionNames' of forRootAsync()`;
  return Symbol.for(`Redis connection '${name}' (${remedy})`);
}

/**
 * Injects a `RedisConnection`: the default one, or one of `connections` by name.
 *
 * With `RedisModule.forRootAsync`, a named one must stand in `connectionNames` too.
 */
export function InjectRedis(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(redisToken(name));
}

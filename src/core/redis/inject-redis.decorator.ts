import { Inject } from '@nestjs/common';
import { DEFAULT_CONNECTION } from './redis-config.js';

/** Token of the connection of that name. The same name gives the same token, also across copies of the package. */
export function redisToken(name: string = DEFAULT_CONNECTION): symbol {
  return Symbol.for(`rookery:redis:connection:${name}`);
}

/**
 * Injects a `RedisConnection`: the default one, or one of `connections` by name.
 *
 * With `RedisModule.forRootAsync`, a named one must stand in `connectionNames` too.
 */
export function InjectRedis(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(redisToken(name));
}

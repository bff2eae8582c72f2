import type { MethodCall } from '../../core/aspects/around-method.js';
import type { Cache } from '../cache.js';
import type { CacheRegistry } from '../cache-registry.js';
import type { GetOrSetOptions } from '../cache.options.js';
import { nameOf } from '../define-cache.js';
import type { UntypedEvictOptions, UntypedStoringOptions } from './untyped-options.js';

/** The cache, or the segment of it, that a call of a decorated method is about. */
export function cacheOf(
  registry: CacheRegistry,
  { cache, segment }: UntypedStoringOptions | UntypedEvictOptions,
  args: readonly unknown[],
): Cache {
  const found = registry.get(cache === undefined ? undefined : nameOf(cache));
  if (segment === undefined) return found;
  return found.segment(typeof segment === 'string' ? segment : segment(...args));
}

/** The options for one call. Where none depends on the arguments they are the decorator's own, the same object each time. */
export function storingOptions(options: UntypedStoringOptions, { args }: MethodCall): GetOrSetOptions {
  const { ttl, tags, unless } = options;
  if (typeof ttl !== 'function' && typeof tags !== 'function' && unless === undefined) {
    return options;
  }
  return {
    ...(options as GetOrSetOptions),
    ...(typeof ttl === 'function' ? { ttl: (value) => ttl(value, ...args) } : {}),
    ...(typeof tags === 'function' ? { tags: (value) => tags(value, ...args) } : {}),
    ...(unless === undefined ? {} : { unless: (value) => unless(value, ...args) }),
  };
}

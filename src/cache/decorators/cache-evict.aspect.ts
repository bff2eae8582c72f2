import { Injectable } from '@nestjs/common';
import type { Aspect, MethodCall } from '../../core/aspects/around-method.js';
import type { Cache, CacheKey } from '../cache.js';
import { CacheRegistry } from '../cache-registry.js';
import type { CacheTag } from '../cache.options.js';
import { cacheOf } from './storing-call.js';
import type { UntypedEvictOptions } from './untyped-options.js';

/** What one call evicts. */
interface Eviction {
  readonly cache: Cache;
  readonly keys: readonly CacheKey[];
  readonly tags: readonly CacheTag[];
  readonly segments: readonly string[];
}

/** The work of `@CacheEvict`. */
@Injectable()
export class CacheEvictAspect implements Aspect<UntypedEvictOptions> {
  constructor(private readonly registry: CacheRegistry) {}

  async around({ args, proceed }: MethodCall, options: UntypedEvictOptions): Promise<unknown> {
    if (options.condition?.(...args) === false) return proceed();
    // Before the method runs, also where it evicts afterwards: what cannot be named must not be found out once the source has been changed.
    const eviction = this.#evictionOf(options, args);
    if (options.when === 'before') {
      await evict(eviction);
      return proceed();
    }
    const result = await proceed();
    await evict(eviction);
    return result;
  }

  #evictionOf(options: UntypedEvictOptions, args: readonly unknown[]): Eviction {
    const { key, keys, tags = [], segments = [] } = options;
    return {
      cache: cacheOf(this.registry, options, args),
      keys: [...(key === undefined ? [] : [key(...args)]), ...(keys?.(...args) ?? [])],
      tags: typeof tags === 'function' ? tags(...args) : tags,
      segments,
    };
  }
}

async function evict({ cache, keys, tags, segments }: Eviction): Promise<void> {
  await Promise.all([
    ...(keys.length === 0 ? [] : [cache.deleteMany(keys)]),
    ...(tags.length === 0 ? [] : [cache.invalidateTags(tags)]),
    ...segments.map((segment) => cache.invalidateSegment(segment)),
  ]);
}

import { Injectable } from '@nestjs/common';
import type { Aspect, MethodCall } from '../../core/aspects/around-method.js';
import { EncodeError } from '../../core/codec/codec.errors.js';
import type { Cache, CacheKey } from '../cache.js';
import { CacheRegistry } from '../cache-registry.js';
import type { UntypedStoringOptions } from './untyped-options.js';

type PutOptions = UntypedStoringOptions & { readonly key: NonNullable<UntypedStoringOptions['key']> };

/** The work of `@CachePut`. */
@Injectable()
export class CachePutAspect implements Aspect<PutOptions> {
  constructor(private readonly registry: CacheRegistry) {}

  async around({ args, proceed }: MethodCall, options: PutOptions): Promise<unknown> {
    if (options.condition?.(...args) === false) return proceed();
    const cache = this.registry.get(options.cache);
    // Before the method runs: a key that cannot be built must not be found out once the source has been changed.
    const key = options.key(...args);
    const value = await proceed();
    if (options.unless?.(value, ...args) === true) return value;
    await this.#store(cache, key, value, options);
    return value;
  }

  /** The source has been changed: what cannot be stored must at least not leave the old value behind. */
  async #store(cache: Cache, key: CacheKey, value: unknown, options: PutOptions): Promise<void> {
    try {
      if (value === undefined) await cache.delete(key);
      else await cache.set(key, value, options);
    } catch (error) {
      if (!(error instanceof EncodeError)) throw error;
      cache.counters.unencodable += 1;
      await cache.delete(key);
    }
  }
}

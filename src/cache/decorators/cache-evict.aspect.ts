import { Injectable } from '@nestjs/common';
import type { Aspect, MethodCall } from '../../core/aspects/around-method.js';
import { CacheRegistry } from '../cache-registry.js';
import type { UntypedOptions } from './untyped-options.js';

type EvictOptions = UntypedOptions & { readonly key: NonNullable<UntypedOptions['key']> };

/** The work of `@CacheEvict`. */
@Injectable()
export class CacheEvictAspect implements Aspect<EvictOptions> {
  constructor(private readonly registry: CacheRegistry) {}

  async around({ args, proceed }: MethodCall, options: EvictOptions): Promise<unknown> {
    if (options.condition?.(...args) === false) return proceed();
    const cache = this.registry.get(options.cache);
    const key = options.key(...args);
    const result = await proceed();
    await cache.delete(key);
    return result;
  }
}

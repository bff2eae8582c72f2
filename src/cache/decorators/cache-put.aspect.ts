import { Injectable } from '@nestjs/common';
import type { Aspect, MethodCall } from '../../core/aspects/around-method.js';
import { CacheRegistry } from '../cache-registry.js';
import { cacheOf, storingOptions } from './storing-call.js';
import type { UntypedStoringOptions } from './untyped-options.js';

type PutOptions = UntypedStoringOptions & { readonly key: NonNullable<UntypedStoringOptions['key']> };

/** The work of `@CachePut`. */
@Injectable()
export class CachePutAspect implements Aspect<PutOptions> {
  constructor(private readonly registry: CacheRegistry) {}

  async around(call: MethodCall, options: PutOptions): Promise<unknown> {
    const { args, proceed } = call;
    if (options.condition?.(...args) === false) return proceed();
    const cache = cacheOf(this.registry, options, args);
    return cache.writeThrough(options.key(...args), proceed, storingOptions(options, call));
  }
}

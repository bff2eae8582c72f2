import { Injectable } from '@nestjs/common';
import type { Aspect, MethodCall } from '../../core/aspects/around-method.js';
import { CacheRegistry } from '../cache-registry.js';
import { DefaultKeys } from './default-keys.js';
import { cacheOf, storingOptions } from './storing-call.js';
import type { UntypedStoringOptions } from './untyped-options.js';

/** The work of `@Cacheable`. */
@Injectable()
export class CacheableAspect implements Aspect<UntypedStoringOptions> {
  readonly #defaultKeys = new DefaultKeys();

  constructor(private readonly registry: CacheRegistry) {}

  async around(call: MethodCall, options: UntypedStoringOptions): Promise<unknown> {
    const { args, proceed } = call;
    if (options.condition?.(...args) === false) return proceed();
    const cache = cacheOf(this.registry, options, args);
    const key = options.key === undefined ? this.#defaultKeys.of(call, cache.name) : options.key(...args);
    return cache.getOrSet(key, proceed, storingOptions(options, call));
  }
}

import { Injectable } from '@nestjs/common';
import type { Aspect, MethodCall } from '../../core/aspects/around-method.js';
import { CacheRegistry } from '../cache-registry.js';
import { DefaultKeys } from './default-keys.js';
import type { UntypedStoringOptions } from './untyped-options.js';

/** The work of `@Cacheable`. */
@Injectable()
export class CacheableAspect implements Aspect<UntypedStoringOptions> {
  readonly #defaultKeys = new DefaultKeys();

  constructor(private readonly registry: CacheRegistry) {}

  async around(call: MethodCall, options: UntypedStoringOptions): Promise<unknown> {
    const { args, proceed } = call;
    if (options.condition?.(...args) === false) return proceed();
    const key = options.key === undefined ? this.#defaultKeys.of(call) : options.key(...args);
    const cache = this.registry.get(options.cache);
    const { unless } = options;
    if (unless === undefined) return cache.getOrSet(key, proceed, options);
    return cache.getOrSet(key, proceed, { ...options, unless: (value) => unless(value, ...args) });
  }
}

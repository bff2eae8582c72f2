import { Injectable } from '@nestjs/common';
import type { CacheCore } from './cache-core.js';
import { Cache } from './cache.js';
import { nameOf, type CacheDefinition } from './define-cache.js';

/** The default cache, and the way to the named ones where `@InjectCache` cannot be used. */
@Injectable()
export class CacheService extends Cache {
  readonly #find: (name: string) => Cache;

  constructor(core: CacheCore, find: (name: string) => Cache) {
    super(core);
    this.#find = find;
  }

  /** The cache that `CacheModule.forFeature` registered under that name or definition. Throws `ConfigurationError` when there is none. */
  named<Value = unknown>(cache: string | CacheDefinition<Value>): Cache<Value> {
    return this.#find(nameOf(cache)) as Cache<Value>;
  }
}

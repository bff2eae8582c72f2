import type { Cache } from './cache.js';
import type { NamedCacheOptions } from './cache.options.js';

declare const VALUE: unique symbol;

/** A named cache together with the type of its values. */
export interface CacheDefinition<Value> extends NamedCacheOptions<Value> {
  /** For the compiler alone. */
  readonly [VALUE]?: (value: Value) => Value;
}

/** What names a cache: its name, or its definition. */
export type CacheName = string | { readonly name: string };

/** The cache that a definition defines: `@InjectCache(PRODUCTS) products: CacheOf<typeof PRODUCTS>`. */
export type CacheOf<Definition> = Definition extends CacheDefinition<infer Value> ? Cache<Value> : never;

/**
 * Defines a named cache once, with the type of its values, for `forFeature`, for `@InjectCache`, and for the `cache` option of the decorators, which then
 * do not compile on a method that returns something else.
 *
 * ```ts
 * export const PRODUCTS = defineCache<Product>({ name: 'products', ttl: '10m' });
 * ```
 */
export function defineCache<Value>(options: NamedCacheOptions<Value>): CacheDefinition<Value> {
  return options;
}

/** The name in either form. */
export function nameOf(cache: CacheName): string {
  return typeof cache === 'string' ? cache : cache.name;
}

import type { ExpiryOptions } from '../cache.options.js';
import type { ArgumentsPredicate, KeyFunction, ResultPredicate } from './method-types.js';

/** What the three decorators have in common. The functions take the arguments of the method, typed; fewer are fine. */
export interface DecoratorOptions<Key extends KeyFunction, Condition extends ArgumentsPredicate> {
  /** Name of the cache. Default: the default cache. */
  readonly cache?: string;
  /** What identifies the entry. The same key by hand reaches the same entry: `cache.get(42)`. */
  readonly key?: Key;
  /** When it returns false, the method runs as if it were not decorated. */
  readonly condition?: Condition;
}

/** Options of the decorators that store what the method returns. */
export interface StoringOptions<
  Key extends KeyFunction,
  Condition extends ArgumentsPredicate,
  Unless extends ResultPredicate,
>
  extends DecoratorOptions<Key, Condition>, Omit<ExpiryOptions, 'expiresAt'> {
  /** When it returns true for a result, the result is handed out but not stored. */
  readonly unless?: Unless;
}

import type { Duration } from '../../core/time/duration.js';
import type { CacheKey } from '../cache.js';
import type { CacheTag } from '../cache.options.js';
import type { CacheName } from '../define-cache.js';
import type { EvictOptions, StoringOptions } from './decorator-options.js';

type Of<Result> = (...args: readonly unknown[]) => Result;
type OfResult<Result> = (result: unknown, ...args: readonly unknown[]) => Result;

/** Options as an aspect calls them: the decorator has compared the functions with the method when it was compiled. */
export type UntypedStoringOptions = StoringOptions<
  CacheName,
  Of<CacheKey>,
  Of<boolean>,
  Of<string>,
  OfResult<boolean>,
  OfResult<readonly CacheTag[]>,
  OfResult<Duration>
>;

/** The same for `@CacheEvict`. */
export type UntypedEvictOptions = EvictOptions<
  CacheName,
  Of<CacheKey>,
  Of<boolean>,
  Of<string>,
  Of<readonly CacheKey[]>,
  Of<readonly CacheTag[]>
>;

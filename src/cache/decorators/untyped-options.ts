import type { CacheKey } from '../cache.js';
import type { DecoratorOptions, StoringOptions } from './decorator-options.js';

type AnyKey = (...args: readonly unknown[]) => CacheKey;
type AnyCondition = (...args: readonly unknown[]) => boolean;
type AnyUnless = (result: unknown, ...args: readonly unknown[]) => boolean;

/** Options as an aspect calls them: the decorator has compared the functions with the method when it was compiled. */
export type UntypedOptions = DecoratorOptions<AnyKey, AnyCondition>;
/** The same for the decorators that store. */
export type UntypedStoringOptions = StoringOptions<AnyKey, AnyCondition, AnyUnless>;

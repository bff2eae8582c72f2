import type { Duration } from '../../core/time/duration.js';
import type { CacheKey } from '../cache.js';
import type { CacheTag } from '../cache.options.js';
import type { CacheDefinition, CacheName } from '../define-cache.js';

/** A method that can be cached: it returns a promise. */
type AsyncMethod = (...args: never[]) => Promise<unknown>;

/** Makes a key of a method's arguments. `never` as a parameter admits every function; `Fits` then compares it with the method. */
export type KeyFunction = (...args: never[]) => CacheKey;

/** Makes several keys of a method's arguments. */
export type KeysFunction = (...args: never[]) => readonly CacheKey[];

/** Judges a method's arguments. */
export type ArgumentsPredicate = (...args: never[]) => boolean;

/** Judges a method's result. */
export type ResultPredicate = (result: never, ...args: never[]) => boolean;

/** Names a segment by a method's arguments. */
export type SegmentFunction = (...args: never[]) => string;

/** Tags an entry by a method's result. */
export type ResultTags = (result: never, ...args: never[]) => readonly CacheTag[];

/** Names tags by a method's arguments. */
export type ArgumentsTags = (...args: never[]) => readonly CacheTag[];

/** Reads a TTL off a method's result. */
export type ResultTtl = (result: never, ...args: never[]) => Duration;

/** The functions in a decorator's options, as far as it has them. */
interface OptionFunctions {
  readonly cache?: CacheName;
  readonly key?: KeyFunction;
  readonly keys?: KeysFunction;
  readonly condition?: ArgumentsPredicate;
  readonly unless?: ResultPredicate;
  readonly segment?: SegmentFunction;
  readonly resultTags?: ResultTags;
  readonly argumentsTags?: ArgumentsTags;
  readonly ttl?: ResultTtl;
}

/** The type of an option, `never` where there is none. */
type Given<O, Name extends keyof OptionFunctions> = Name extends keyof O ? NonNullable<O[Name]> : never;

/**
 * A function of the arguments of `M` fits when it takes them. So does the most general one, which the compiler puts in the place of an option that is given as
 * something else than a function.
 */
type OfArguments<M extends AsyncMethod, F, Result, Problem extends string> = [F] extends [
  (...args: Parameters<M>) => Result,
]
  ? unknown
  : [(...args: never[]) => Result] extends [F]
    ? unknown
    : { readonly [P in Problem]: never };

/** A function of the result and the arguments of `M` fits when it takes them. */
type OfResult<M extends AsyncMethod, F, Result, Problem extends string> = [F] extends [
  (result: Awaited<ReturnType<M>>, ...args: Parameters<M>) => Result,
]
  ? unknown
  : [(result: never, ...args: never[]) => Result] extends [F]
    ? unknown
    : { readonly [P in Problem]: never };

type OfCache<M extends AsyncMethod, Named> = [Named] extends [CacheDefinition<infer Value>]
  ? [Awaited<ReturnType<M>>] extends [Value]
    ? unknown
    : { readonly 'the result of the method is not what the cache holds': never }
  : unknown;

/** What the functions in a decorator's options must be for the method `M`. Otherwise the decorator does not compile, with one of these sentences in the error. */
type Fits<M extends AsyncMethod, O extends OptionFunctions> = OfArguments<
  M,
  Given<O, 'key'>,
  CacheKey,
  'the parameters of key() differ from those of the method'
> &
  OfArguments<M, Given<O, 'keys'>, readonly CacheKey[], 'the parameters of keys() differ from those of the method'> &
  OfArguments<M, Given<O, 'condition'>, boolean, 'the parameters of condition() differ from those of the method'> &
  OfArguments<M, Given<O, 'segment'>, string, 'the parameters of segment() differ from those of the method'> &
  OfArguments<
    M,
    Given<O, 'argumentsTags'>,
    readonly CacheTag[],
    'the parameters of tags() differ from those of the method'
  > &
  OfResult<
    M,
    Given<O, 'unless'>,
    boolean,
    'the parameters of unless() differ from the result and the parameters of the method'
  > &
  OfResult<
    M,
    Given<O, 'resultTags'>,
    readonly CacheTag[],
    'the parameters of tags() differ from the result and the parameters of the method'
  > &
  OfResult<
    M,
    Given<O, 'ttl'>,
    Duration,
    'the parameters of ttl() differ from the result and the parameters of the method'
  > &
  OfCache<M, Given<O, 'cache'>>;

/** A decorator for the methods that the given functions fit. */
export type DecoratorFor<O extends OptionFunctions> = <M extends AsyncMethod>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<M> & Fits<M, O>,
) => void;

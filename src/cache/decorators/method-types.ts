import type { CacheKey } from '../cache.js';

/** A method that can be cached: it returns a promise. */
type AsyncMethod = (...args: never[]) => Promise<unknown>;

/** Makes a key of a method's arguments. `never` as a parameter admits every function; `Fits` then compares it with the method. */
export type KeyFunction = (...args: never[]) => CacheKey;

/** Judges a method's arguments. */
export type ArgumentsPredicate = (...args: never[]) => boolean;

/** Judges a method's result. */
export type ResultPredicate = (result: never, ...args: never[]) => boolean;

/** What the functions in a decorator's options must be for the method `M`. Otherwise the decorator does not compile, with one of these sentences in the error. */
type Fits<
  M extends AsyncMethod,
  Key extends KeyFunction,
  Condition extends ArgumentsPredicate,
  Unless extends ResultPredicate,
> = ([Key] extends [(...args: Parameters<M>) => CacheKey]
  ? unknown
  : { readonly 'the parameters of key() differ from those of the method': never }) &
  ([Condition] extends [(...args: Parameters<M>) => boolean]
    ? unknown
    : { readonly 'the parameters of condition() differ from those of the method': never }) &
  ([Unless] extends [(result: Awaited<ReturnType<M>>, ...args: Parameters<M>) => boolean]
    ? unknown
    : { readonly 'the parameters of unless() differ from the result and the parameters of the method': never });

/** A decorator for the methods that the given functions fit. */
export type DecoratorFor<
  Key extends KeyFunction,
  Condition extends ArgumentsPredicate,
  Unless extends ResultPredicate,
> = <M extends AsyncMethod>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<M> & Fits<M, Key, Condition, Unless>,
) => void;

import { aroundMethod } from '../core/aspects/around-method.js';
import type { LockName } from './lock-name.js';
import type { UsingOptions } from './lock.options.js';

/** Token of the work of `@Lock`. It stands in Nest's message when the module is missing, and so says what to import. */
export const LOCK_ASPECT: unique symbol = Symbol('@Lock (import LockModule.forRoot())');

type AsyncMethod = (...args: never[]) => Promise<unknown>;

/** Names a lock by a method's arguments. `never` as a parameter admits every function; the decorator then compares it with the method. */
export type NameFunction = (...args: never[]) => LockName;

/** What `@Lock` takes: the options of `LockService.using`, but for the signal. */
export interface LockDecoratorOptions<Name extends NameFunction = NameFunction> extends Omit<UsingOptions, 'signal'> {
  /** A name, or a function that makes it of the method's arguments. Default: the class and the method, `'ReportsService.build'`. */
  readonly name?: Name | LockName;
  /** What becomes of a call that does not get the lock: it rejects with `LockNotAcquiredError`, or it is left out and resolves with undefined, without waiting. Default `'throw'`. */
  readonly whenBusy?: 'throw' | 'skip';
  /** Whether a method with the same lock that this one calls, and waits for, enters without waiting. Default true. */
  readonly reentrant?: boolean;
}

type Fits<M extends AsyncMethod, Name> = [Name] extends [(...args: Parameters<M>) => LockName]
  ? unknown
  : [NameFunction] extends [Name]
    ? unknown
    : { readonly 'the parameters of name() differ from those of the method': never };

/**
 * Runs a method while it holds a lock: `LockService.using`, with all its guarantees. The method finds the lock by `currentLock()`.
 *
 * ```ts
 * @Lock({ name: (order: Order) => ['payment', order.id], ttl: '30s', wait: '5s' })
 * async pay(order: Order): Promise<Payment> {}
 * ```
 *
 * Rejects with `LockNotAcquiredError`, `LockLostError` (somebody else may have had the lock before the method had ended), `RedisUnavailableError`, and with what the
 * method rejects with.
 */
export function Lock<Name extends NameFunction = () => never>(
  options: LockDecoratorOptions<Name> = {},
): <M extends AsyncMethod>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<M> & Fits<M, Name>,
) => void {
  return aroundMethod('Lock', LOCK_ASPECT, 'LockModule.forRoot()', options);
}

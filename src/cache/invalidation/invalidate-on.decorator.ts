import type { Invalidation } from './invalidation.js';
import type { InvalidationEvent } from './invalidation.options.js';

/** Options of {@link InvalidateOn}. */
export interface InvalidateOnOptions {
  /** The cache, by its name or its definition. Default: the default cache. */
  readonly cache?: string | { readonly name: string };
}

/** A rule as it was written: which method answers which event, for which cache. */
export interface DeclaredRule {
  readonly event: InvalidationEvent;
  readonly cache: string | undefined;
  readonly method: string | symbol;
}

/** For methods that take what the event carries and say what it makes stale; nothing, when it makes nothing stale. */
export type RuleDecorator = <Rule extends (...event: never[]) => RuleAnswer | PromiseLike<RuleAnswer>>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Rule>,
) => void;

type RuleAnswer = Invalidation | null | undefined;

const RULES = Symbol.for('rookery:cache:invalidate-on');

/**
 * A rule that keeps invalidation out of services: whenever the event happens, the method says what it has made stale, and the cache is rid of it.
 *
 * - The rule runs while the event is emitted. Unless it is asynchronous, this process serves nothing stale once `emit` has returned.
 * - Its listener returns a promise: after `await emitter.emitAsync(...)` of an `EventEmitter2`, Redis has confirmed every invalidation that it
 *   could be told of. What it could not be told of is repeated until it is, see {@link Cache.delete}.
 * - A rule that fails is logged, without the event's payload, and harms neither the emitter nor other rules.
 * - Rules of one event, and asynchronous rules of several, run side by side. Invalidations may come in any order: each takes away
 *   whatever is older than itself.
 *
 * For providers and controllers that exist once; `CacheModule.forRoot({ events })` says where events come from. Several rules may stand on
 * one method. A subclass inherits them. Throws TypeError on anything but a method of an instance.
 */
export function InvalidateOn(event: InvalidationEvent, options: InvalidateOnOptions = {}): RuleDecorator {
  const cache = typeof options.cache === 'object' ? options.cache.name : options.cache;
  return (target, method, descriptor) => {
    if (typeof target === 'function' || typeof descriptor?.value !== 'function') {
      throw new TypeError(`@InvalidateOn is for methods of an instance; ${String(method)} is none.`);
    }
    Reflect.defineMetadata(RULES, [...declaredRules(target), { event, cache, method }], target);
  };
}

/** The rules of an instance or a prototype, those of its superclasses included. */
export function declaredRules(target: object): readonly DeclaredRule[] {
  return (Reflect.getMetadata(RULES, target) as readonly DeclaredRule[] | undefined) ?? [];
}

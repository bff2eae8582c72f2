import type { ExecutionContext } from '@nestjs/common';

/** Where Nest keeps a handler's interceptors. Nest 11 and 12 agree on the name, not on where to import it from. */
export const INTERCEPTORS = '__interceptors__';

const PASSIVE: unique symbol = Symbol('rookery:session:passive');
const RECENT_LOGIN: unique symbol = Symbol('rookery:session:recent-login');

/** Notes that a handler, or a class of them, puts off no session's end. */
export function markPassive(target: object): void {
  Reflect.defineMetadata(PASSIVE, true, target);
}

/** Notes how long ago the login may be. */
export function markRecentLogin(target: object, withinMs: number): void {
  Reflect.defineMetadata(RECENT_LOGIN, withinMs, target);
}

/** What is noted of a handler, or of its class where it says nothing itself. */
interface RouteRules {
  readonly controller: object;
  readonly isPassive: boolean;
  /** How long ago the login may be. Undefined: any time. */
  readonly recentLoginMs: number | undefined;
}

/** Metadata is slow to look up, and does not change. */
const known = new WeakMap<object, RouteRules>();

/** What is noted of the handler of a call. */
export function routeRules(context: Pick<ExecutionContext, 'getHandler' | 'getClass'>): RouteRules {
  const [handler, controller] = [context.getHandler(), context.getClass()];
  let rules = known.get(handler);
  // A handler may be inherited by several classes.
  if (rules?.controller !== controller) {
    const read = (key: symbol): unknown => Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, controller);
    rules = {
      controller,
      isPassive: read(PASSIVE) === true,
      recentLoginMs: read(RECENT_LOGIN) as number | undefined,
    };
    known.set(handler, rules);
  }
  return rules;
}

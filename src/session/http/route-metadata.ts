/** Where Nest keeps a handler's interceptors. Nest 11 and 12 agree on the name, not on where to import it from. */
export const INTERCEPTORS = '__interceptors__';

const PASSIVE: unique symbol = Symbol('rookery:session:passive');
const RECENT_LOGIN: unique symbol = Symbol('rookery:session:recent-login');

/** Notes that a handler, or a class of them, puts off no session's end. */
export function markPassive(target: object): void {
  Reflect.defineMetadata(PASSIVE, true, target);
}

/** Whether it is noted of one of them. */
export function isPassive(handler: object, controller: object): boolean {
  return (Reflect.getMetadata(PASSIVE, handler) ?? Reflect.getMetadata(PASSIVE, controller)) === true;
}

/** Notes how long ago the login may be. */
export function markRecentLogin(target: object, withinMs: number): void {
  Reflect.defineMetadata(RECENT_LOGIN, withinMs, target);
}

/** How long ago the login may be, the handler's word before the class'. Undefined: any time. */
export function recentLoginOf(handler: object, controller: object): number | undefined {
  const within: unknown = Reflect.getMetadata(RECENT_LOGIN, handler) ?? Reflect.getMetadata(RECENT_LOGIN, controller);
  return within as number | undefined;
}

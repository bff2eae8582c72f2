import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { AnyAttributes, SessionHandle } from '../session.js';
import { currentSession } from './request-sessions.js';
import { INTERCEPTORS } from './route-metadata.js';
import { SessionInterceptor } from './session.interceptor.js';

const parameter = createParamDecorator((_: unknown, context: ExecutionContext) => currentSession(context));

/**
 * The session of whoever calls, as a parameter of a handler of HTTP, GraphQL or a gateway:
 *
 * ```ts
 * @Post('cart')
 * add(@Session() session: Session<{ cart: CartLine[] }>, @Body() line: CartLine): void {
 *   session.set('cart', [...(session.get('cart') ?? []), line]);
 * }
 * ```
 *
 * What the handler changes is saved when it is done, also when it throws, and before the client has its answer; if that fails, the answer is the failure. A
 * handler that writes the answer itself (`@Res()`) calls `session.save()` before.
 *
 * While Redis is away, HTTP handlers are answered with 503, as problem details, be it noticed before the handler, after it, or by a call of the session that the handler makes and does
 * not catch. What else the handler fails with is left as it is.
 */
export function Session(): ParameterDecorator {
  return (target, key, index) => {
    const handler =
      key === undefined ? undefined : ((target as Record<string | symbol, unknown>)[key] as object | undefined);
    if (typeof handler !== 'function') throw new TypeError('@Session() is for parameters of a handler.');
    const beneath = (Reflect.getMetadata(INTERCEPTORS, handler) ?? []) as readonly unknown[];
    if (!beneath.includes(SessionInterceptor)) {
      Reflect.defineMetadata(INTERCEPTORS, [SessionInterceptor, ...beneath], handler);
    }
    parameter()(target, key, index);
  };
}

/** One client's session, as one request sees it. */
export type Session<Attributes extends object = AnyAttributes> = SessionHandle<Attributes>;

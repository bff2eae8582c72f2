import type { Caller } from '../../core/calls/caller.js';
import type { RoutePolicy } from '../policies/policy.options.js';

const RULES: unique symbol = Symbol('rookery:throttler:rules');

/** What one decorator says. */
export type RouteRule =
  | { readonly name: string; readonly cost: number | ((caller: Caller) => number) | undefined }
  | { readonly policy: RoutePolicy }
  | { readonly skip: 'all' | readonly string[] };

/** What `@SubscribeMessage`, and `@MessagePattern` and `@EventPattern`, mark handlers with. Written out, since their packages are optional. */
const MESSAGE_HANDLERS = ['websockets:message_mapping', 'microservices:pattern'];

/** Whether it takes messages of a gateway or a microservice. */
export function isMessageHandler(handler: object): boolean {
  return MESSAGE_HANDLERS.some((key) => Reflect.hasMetadata(key, handler));
}

/** Decorators run from the bottom up: rules are kept in the order in which they are written. */
export function addRule(target: object, rule: RouteRule): void {
  const own = (Reflect.getOwnMetadata(RULES, target) ?? []) as readonly RouteRule[];
  Reflect.defineMetadata(RULES, [rule, ...own], target);
}

/** The rules of a handler, or of a class, those that it inherits included. */
export function rulesOf(target: object): readonly RouteRule[] {
  return (Reflect.getMetadata(RULES, target) ?? []) as readonly RouteRule[];
}

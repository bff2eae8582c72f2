import type { Caller } from '../../core/calls/caller.js';
import { algorithmOf } from '../policies/algorithm.js';
import type { RoutePolicy } from '../policies/policy.options.js';
import { addRule, type RouteRule } from './route-metadata.js';

/** How a route uses a policy of the module; its counter stays the one that all share who name it. */
export interface PolicyUseOptions {
  /** Units that one request takes here. */
  readonly cost?: number | ((caller: Caller) => number);
}

/**
 * Limits a route, or all routes of a controller, beside what the module limits everywhere. May be given several times.
 *
 * - `@RateLimit('login')`: a policy of the module. All who name it share its counters; `{ cost: 5 }` makes requests dearer here.
 * - `@RateLimit({ limit: 5, window: '1m' })`: the route's own, or the controller's: nobody else counts there.
 * - `@RateLimit({ name: 'burst', limit: 5, window: '1s' })`: the same, in the place of the module's `burst`.
 *
 * On a route it goes before what stands on its controller. Works wherever `ThrottlerGuard` is bound: HTTP, GraphQL, WebSocket and RPC handlers.
 *
 * @throws {ConfigurationError} where it stands, for options that cannot work; at boot for a name that the module does not know
 */
export function RateLimit(policy: string, options?: PolicyUseOptions): ClassDecorator & MethodDecorator;
export function RateLimit(policy: RoutePolicy): ClassDecorator & MethodDecorator;
export function RateLimit(
  policy: string | RoutePolicy,
  options: PolicyUseOptions = {},
): ClassDecorator & MethodDecorator {
  if (typeof policy !== 'string') algorithmOf(policy, (option) => `@RateLimit: ${option}`);
  const rule: RouteRule = typeof policy === 'string' ? { name: policy, cost: options.cost } : { policy };
  return (target: object, _key?: string | symbol, descriptor?: PropertyDescriptor) =>
    addRule((descriptor?.value ?? target) as object, rule);
}

import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { callerOf, type Caller } from '../../core/calls/caller.js';
import { PROBLEM_JSON, setHeaders } from '../../core/calls/response-headers.js';
import type { PolicyUse } from '../engine/ask.js';
import { rateLimitHeaders } from '../http/rate-limit-headers.js';
import { RateLimitException } from '../http/rate-limit.exception.js';
import type { RateLimitResult } from '../rate-limit-result.js';
import { ThrottlerRuntime } from '../throttler.runtime.js';
import { RateLimitUsageError } from '../throttler.errors.js';
import { graphqlRefusal, refusalOfMessage } from './refusals-outside-http.js';
import { hasEnd, releaseWhenAnswered, setHeadersBeside } from './response-access.js';
import { RouteLimits, type RouteLimit } from './route-limits.js';
import { unseenEnd } from './unseen-end.js';

/** Calls that were counted already, by what is one and the same object for all guards of a call. */
const counted = new WeakSet<object>();

/**
 * Limits the handlers that it is bound to: `{ provide: APP_GUARD, useClass: ThrottlerGuard }` for all, `@UseGuards(ThrottlerGuard)` for some.
 *
 * - A request is counted once, however often the guard is bound; of GraphQL, each call of a guarded resolver is a request.
 * - It is counted by all of its policies or, when one of them refuses, by none; one round trip to Redis, or none for a caller that is known to be refused.
 * - It is decided within the module's `redisDeadline`, whatever Redis does.
 *
 * Throws `RateLimitException` (429, or 503 where a policy is to refuse while Redis is away) for HTTP and GraphQL, `WsException` and `RpcException` elsewhere;
 * `ConfigurationError`, before anything is counted, for a limit of requests at once where there is no HTTP response whose end it could see.
 */
@Injectable()
export class ThrottlerGuard implements CanActivate {
  constructor(
    private readonly runtime: ThrottlerRuntime,
    private readonly routes: RouteLimits,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const limits = this.routes.of(context.getClass(), context.getHandler());
    if (limits.length === 0) return true;
    const caller = callerOf(context, OTHER_HANDLERS);
    const { options, limiter } = this.runtime;
    if (counted.has(caller.identity)) return true;
    counted.add(caller.identity);
    if (options.skip?.(caller) === true) return true;
    const { response } = caller;
    const uses = await this.#uses(limits, caller);
    if (uses.length === 0) return true;
    const atOnce = uses.find(({ policy }) => policy.isConcurrency);
    if (atOnce !== undefined && !hasEnd(response)) throw unseenEnd(atOnce.policy.name, placeOf(context));
    const result = await limiter.consume(uses);
    if (response !== undefined) {
      const fields = rateLimitHeaders(result, options.headers === false ? NONE : (options.headers ?? {}));
      if (caller.type === 'graphql') setHeadersBeside(response, fields);
      else setHeaders(response, fields);
    }
    if (!result.admitted) throw await this.#refusal(result, caller);
    if (atOnce !== undefined) releaseWhenAnswered(response, result);
    return true;
  }

  async #uses(limits: readonly RouteLimit[], caller: Caller): Promise<PolicyUse[]> {
    const { policies } = this.runtime;
    const uses: PolicyUse[] = [];
    let lastTracker: unknown;
    let callerKey = '';
    for (const { policy, cost } of limits) {
      if (policy.skip?.(caller) === true) continue;
      if (policy.tracker !== lastTracker) {
        const tracked = policy.tracker(caller);
        callerKey = policies.callerKey(tracked instanceof Promise ? await tracked : tracked);
        lastTracker = policy.tracker;
      }
      const units = cost(caller);
      if (!(units > 0)) {
        throw new RateLimitUsageError(
          `The cost of a request must be above 0; for policy '${policy.name}' it is ${units}.`,
        );
      }
      uses.push(policies.use(policy, callerKey, units, caller));
    }
    return uses;
  }

  async #refusal(result: RateLimitResult, caller: Caller): Promise<Error> {
    const { exception } = this.runtime.options;
    if (exception !== undefined) return exception(result, caller.context);
    if (caller.type === 'ws' || caller.type === 'rpc') return refusalOfMessage(caller.type, result);
    if (caller.type === 'graphql') return graphqlRefusal(result);
    setHeaders(caller.response, [['Content-Type', PROBLEM_JSON]]);
    return new RateLimitException(result);
  }
}

function placeOf(context: ExecutionContext): string {
  return `${context.getClass().name}.${context.getHandler().name}`;
}

const OTHER_HANDLERS = 'Put @SkipRateLimit() on the handler, and ask RateLimiter in it, with a key of your own.';
const NONE = { standard: false, legacy: false };

import { Injectable, type ExecutionContext, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import type { Caller } from '../../core/calls/caller.js';
import { resolvePolicy, type Policy } from '../policies/policy.js';
import type { RoutePolicy } from '../policies/policy.options.js';
import { MOST_POLICIES } from '../policies/policy-registry.js';
import { ThrottlerRuntime } from '../throttler.runtime.js';
import { isMessageHandler, rulesOf, type RouteRule } from './route-metadata.js';
import { unseenEnd } from './unseen-end.js';

/** A policy as it applies to a route. */
export interface RouteLimit {
  readonly policy: Policy;
  readonly cost: (caller: Caller) => number;
}

type Handler = ReturnType<ExecutionContext['getHandler']>;
type Controller = ReturnType<ExecutionContext['getClass']>;

/** Which policies apply to which handler: the module's, then what its class adds, replaces and skips, then what it does itself. */
@Injectable()
export class RouteLimits implements OnModuleInit {
  readonly #routes = new WeakMap<Controller, WeakMap<Handler, readonly RouteLimit[]>>();
  readonly #owners = new Map<string, Controller>();
  readonly #own = new WeakMap<object, Policy>();

  constructor(
    private readonly runtime: ThrottlerRuntime,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** Looks at every decorated handler, so that what cannot work fails at boot. */
  onModuleInit(): void {
    for (const { metatype } of [...this.discovery.getControllers(), ...this.discovery.getProviders()]) {
      if (typeof metatype !== 'function' || typeof metatype.prototype !== 'object') continue;
      const prototype = metatype.prototype as Record<string, unknown> | null;
      if (prototype === null) continue;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const handler: unknown = prototype[name];
        if (typeof handler !== 'function') continue;
        const rules = [...rulesOf(metatype), ...rulesOf(handler)];
        if (rules.length === 0) continue;
        const limits = this.of(metatype as Controller, handler);
        if (isMessageHandler(handler)) this.#checkEnd(limits, rules, `${metatype.name}.${handler.name}`);
      }
    }
  }

  /** The limits of a handler. */
  of(controller: Controller, handler: Handler): readonly RouteLimit[] {
    let handlers = this.#routes.get(controller);
    if (handlers === undefined) {
      handlers = new WeakMap();
      this.#routes.set(controller, handlers);
    }
    let limits = handlers.get(handler);
    if (limits === undefined) {
      limits = this.#resolve(controller, handler);
      handlers.set(handler, limits);
    }
    return limits;
  }

  #resolve(controller: Controller, handler: Handler): readonly RouteLimit[] {
    const place = `${controller.name}.${handler.name}`;
    const limits = new Map(this.runtime.policies.everywhere.map((policy) => [policy.name, asItIs(policy)]));
    this.#apply(limits, rulesOf(controller), controller.name, controller);
    this.#apply(limits, rulesOf(handler), place, controller);
    if (limits.size > MOST_POLICIES) {
      throw new ConfigurationError(`${place} has ${limits.size} rate limit policies; ${MOST_POLICIES} are the most.`);
    }
    return [...limits.values()];
  }

  #apply(limits: Map<string, RouteLimit>, rules: readonly RouteRule[], place: string, controller: Controller): void {
    for (const rule of rules) {
      if (!('skip' in rule)) continue;
      if (rule.skip === 'all') limits.clear();
      else for (const name of rule.skip) this.#skip(limits, name);
    }
    rules.forEach((rule, i) => {
      if ('name' in rule) {
        const policy = this.runtime.policies.get(rule.name);
        limits.set(rule.name, this.#named(policy, rule.cost, place));
      } else if ('policy' in rule) {
        const policy = this.#ownPolicy(rule, i === 0 ? place : `${place}#${i}`, place, controller);
        if (limits.has(policy.name) && !this.runtime.policies.has(policy.name)) {
          throw new ConfigurationError(
            `@RateLimit on ${place}: there are two policies named '${policy.name}'. Give each its own name.`,
          );
        }
        limits.set(policy.name, asItIs(policy));
      }
    });
  }

  /** What the module limits everywhere may not concern this handler: whether the guard is bound to it is known when it is called. */
  #checkEnd(limits: readonly RouteLimit[], rules: readonly RouteRule[], place: string): void {
    for (const { policy } of limits) {
      if (policy.isConcurrency && rules.some((rule) => this.#names(rule, policy))) throw unseenEnd(policy.name, place);
    }
  }

  #names(rule: RouteRule, policy: Policy): boolean {
    return 'name' in rule ? rule.name === policy.name : this.#own.get(rule) === policy;
  }

  #skip(limits: Map<string, RouteLimit>, name: string): void {
    if (!limits.has(name)) this.runtime.policies.get(name);
    limits.delete(name);
  }

  #named(policy: Policy, cost: number | ((caller: Caller) => number) | undefined, place: string): RouteLimit {
    if (cost === undefined) return asItIs(policy);
    if (typeof cost === 'function') return { policy, cost };
    const { limit } = policy.algorithm;
    if (!Number.isInteger(cost) || cost < 1 || (typeof limit === 'number' && cost > limit)) {
      throw new ConfigurationError(
        `@RateLimit on ${place}: the cost must be a whole number from 1 to the limit of '${policy.name}'; it is ${cost}.`,
      );
    }
    return { policy, cost: () => cost };
  }

  /** A policy that stands on a route or a controller belongs to it, by its name: two controllers of one name would share a counter. */
  #ownPolicy(rule: { readonly policy: RoutePolicy }, name: string, place: string, controller: Controller): Policy {
    const known = this.#own.get(rule);
    if (known !== undefined) return known;
    const owner = this.#owners.get(controller.name);
    if (owner !== undefined && owner !== controller) {
      throw new ConfigurationError(
        `@RateLimit on ${place}: there are two classes named '${controller.name}' with limits of their own. Rename one, or use policies of the module.`,
      );
    }
    this.#owners.set(controller.name, controller);
    const options = { ...rule.policy, name: rule.policy.name ?? name };
    const policy = resolvePolicy(options, place, this.runtime.policies.defaults, `@RateLimit on ${place}`);
    this.#own.set(rule, policy);
    return policy;
  }
}

function asItIs(policy: Policy): RouteLimit {
  return { policy, cost: (caller) => policy.costFor(caller) };
}

import {
  Inject,
  Injectable,
  Logger,
  Optional,
  VersioningType,
  type ExecutionContext,
  type OnModuleInit,
} from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, HttpAdapterHost, MetadataScanner } from '@nestjs/core';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { CLOCK, systemClock, type Clock } from '../../core/time/clock.js';
import { CacheRegistry } from '../cache-registry.js';
import { nameOf } from '../define-cache.js';
import type { ResponsePolicy } from './response-policy.js';
import { ResponseRoute } from './response-route.js';
import { hasInterceptorsAbove, isBoundToHost, unservedMethodOf, sendsItsResult, versionsOf } from './route-metadata.js';

/** Token of the routes that `@CacheResponse` decorates. It stands in Nest's message when the module is missing, and so says what to import. */
export const RESPONSE_ROUTES: unique symbol = Symbol('@CacheResponse (import CacheModule.forRoot())');

/** Where `@CacheResponse` leaves its policy on a handler. */
export const RESPONSE_POLICY: unique symbol = Symbol('rookery:cache:response-policy');

/** A handler of a class, with null for one whose result Nest does not send as it is. */
type RoutesOfHandler = Map<unknown, ResponseRoute | null>;

/** The cached routes of the application, each made when its first request comes, when all interceptors are known. */
@Injectable()
export class ResponseRoutes implements OnModuleInit {
  readonly #routes = new WeakMap<object, RoutesOfHandler>();

  constructor(
    private readonly registry: CacheRegistry,
    private readonly adapterHost: HttpAdapterHost,
    private readonly config: ApplicationConfig,
    private readonly discovery: DiscoveryService,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /** Throws `ConfigurationError` for a handler that is never asked by GET. */
  onModuleInit(): void {
    const scanner = new MetadataScanner();
    for (const { metatype } of this.discovery.getControllers()) {
      const prototype = metatype?.prototype as Record<string, object> | undefined;
      if (prototype === undefined) continue;
      for (const name of scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name] as object;
        const method = unservedMethodOf(handler);
        if (method === undefined || !Reflect.hasMetadata(RESPONSE_POLICY, handler)) continue;
        throw new ConfigurationError(
          `@CacheResponse on ${metatype?.name}.${name} caches nothing: it is for GET and HEAD, and this is a handler of ${method}.`,
        );
      }
    }
  }

  /** The route of a request, or null for one that is never cached. Throws `ConfigurationError` for what is no HTTP request. */
  of(context: ExecutionContext): ResponseRoute | null {
    const handler = context.getHandler();
    const controller = context.getClass();
    if (context.getType<string>() !== 'http') {
      throw new ConfigurationError(
        `@CacheResponse on ${controller.name}.${handler.name} is for HTTP handlers; this is a call by '${context.getType()}'. Use @Cacheable there.`,
      );
    }
    const known = this.#routes.get(handler)?.get(controller);
    if (known !== undefined) return known;
    const route = this.#make(context);
    const ofHandler: RoutesOfHandler = this.#routes.get(handler) ?? new Map<unknown, ResponseRoute | null>();
    this.#routes.set(handler, ofHandler.set(controller, route));
    return route;
  }

  #make(context: ExecutionContext): ResponseRoute | null {
    const handler = context.getHandler();
    const controller = context.getClass();
    const name = `${controller.name}.${handler.name}`;
    if (!sendsItsResult(controller, handler)) {
      new Logger('CacheModule').warn(`${name} is not cached: what it returns is not what is sent.`);
      return null;
    }
    const policy = Reflect.getMetadata(RESPONSE_POLICY, handler) as ResponsePolicy;
    const { cache, segment, finalBody = false } = policy.options;
    const store = this.registry.get(cache === undefined ? undefined : nameOf(cache));
    return new ResponseRoute({
      name,
      policy,
      adapter: this.adapterHost.httpAdapter,
      store: segment === undefined ? store : store.segment(segment),
      clock: this.clock,
      keepsValues: !finalBody && hasInterceptorsAbove(this.config, controller),
      // A version in the path is in the key already.
      version: this.config.getVersioning()?.type === VersioningType.URI ? undefined : versionsOf(controller, handler),
      isBoundToHost: isBoundToHost(controller),
    });
  }
}

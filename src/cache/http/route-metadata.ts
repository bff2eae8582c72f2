import { RequestMethod, type ExecutionContext } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import { CacheStatusInterceptor } from './cache-status.interceptor.js';

/** Where Nest's decorators keep what they are given. Nest 11 and 12 agree on the names, not on where to import them from. */
export const INTERCEPTORS = '__interceptors__';
const HANDLED_ELSEWHERE = ['__redirect__', '__renderTemplate__', '__sse__'];
const ROUTE_ARGUMENTS = '__routeArguments__';
const PASSTHROUGH = '__responsePassthrough__';
const METHOD = 'method';
const VERSION = '__version__';
const HOST = 'host';
/** `@Res()` and `@Next()`: what their keys begin with among the arguments of a route. */
const TAKES_RESPONSE = /^[12]:/;

type Handler = ReturnType<ExecutionContext['getHandler']>;
type Controller = ReturnType<ExecutionContext['getClass']>;

/** Whether Nest sends what the handler returns, as it is: not a redirect, a view, a stream of events, or what `@Res()` sends. */
export function sendsItsResult(controller: Controller, handler: Handler): boolean {
  if (HANDLED_ELSEWHERE.some((key) => Reflect.hasMetadata(key, handler))) return false;
  const args = (Reflect.getMetadata(ROUTE_ARGUMENTS, controller, handler.name) ?? {}) as object;
  const takesResponse = Object.keys(args).some((key) => TAKES_RESPONSE.test(key));
  return !takesResponse || Reflect.getMetadata(PASSTHROUGH, controller, handler.name) === true;
}

/** The method of a handler that is not for GET or HEAD, by its name; undefined for one that is, and for what is no handler of HTTP. */
export function unservedMethodOf(handler: object): string | undefined {
  const method = Reflect.getMetadata(METHOD, handler) as RequestMethod | undefined;
  if (method === undefined) return undefined;
  return [RequestMethod.GET, RequestMethod.HEAD, RequestMethod.ALL].includes(method)
    ? undefined
    : RequestMethod[method];
}

/** The versions that the handler is for, where it names some. */
export function versionsOf(controller: Controller, handler: Handler): string | readonly string[] | undefined {
  const version: unknown = Reflect.getMetadata(VERSION, handler) ?? Reflect.getMetadata(VERSION, controller);
  if (Array.isArray(version)) return version.map(String);
  return typeof version === 'string' ? version : undefined;
}

/** Whether the controller is bound to hosts, which its handlers may tell apart. */
export function isBoundToHost(controller: Controller): boolean {
  return Reflect.getMetadata(HOST, controller) !== undefined;
}

/** Whether interceptors run above those of the handler: the application's and the controller's. Our own leaves bodies alone. */
export function hasInterceptorsAbove(config: ApplicationConfig, controller: Controller): boolean {
  const ofController = (Reflect.getMetadata(INTERCEPTORS, controller) ?? []) as readonly unknown[];
  const scoped = config.getGlobalRequestInterceptors().map((wrapper): unknown => wrapper.metatype);
  return [...config.getGlobalInterceptors(), ...scoped, ...ofController].some(
    (interceptor) => interceptor !== CacheStatusInterceptor && !(interceptor instanceof CacheStatusInterceptor),
  );
}

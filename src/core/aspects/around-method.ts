import { Inject, type InjectionToken } from '@nestjs/common';
import { AspectNotBoundError } from './aspect-not-bound.error.js';

/** A call of a decorated method, as its aspect sees it. */
export interface MethodCall<Result = unknown> {
  /** What the method was called on. */
  readonly instance: object;
  readonly args: readonly unknown[];
  /** Runs the method itself, or the decorator beneath. */
  readonly proceed: () => Promise<Result>;
  readonly method: DecoratedMethod;
}

/** Where a decorator was put. One object per decorated method, so that an aspect can keep what it derives from it. */
export interface DecoratedMethod {
  /** The class whose body the decorator stands in; the instance may be of a subclass. */
  readonly declaringClass: { readonly name: string };
  readonly name: string;
}

/** The service behind a method decorator. */
export interface Aspect<Options> {
  around(call: MethodCall, options: Options): Promise<unknown>;
}

type Method = (this: object, ...args: unknown[]) => unknown;

/**
 * Makes a method decorator whose work is done by a provider.
 *
 * The method is wrapped where it is declared, and the wrapper finds its provider on the instance, where Nest's property injection has put it. So it
 * works alike on controllers, providers and request-scoped classes, and through inheritance. The method's name, length
 * and metadata (routes, guards, OpenAPI) survive. On an object that Nest did not build it rejects with `AspectNotBoundError` instead of
 * quietly doing without.
 *
 * Decorators run in the order in which they are written: the topmost is the outermost.
 *
 * @param decorator name for messages, such as `Cacheable`
 * @param aspect token of a provider that implements `Aspect`, exported by a global module
 * @param module what to import when it is missing, for messages
 */
export function aroundMethod<Options>(
  decorator: string,
  aspect: InjectionToken,
  module: string,
  options: Options,
): MethodDecorator {
  const property = Symbol.for(`rookery:aspect:${String(aspect)}`);
  const inject = Inject(aspect);

  return (target, key, descriptor) => {
    const original = descriptor.value as Method | undefined;
    if (typeof original !== 'function') throw new TypeError(`@${decorator} is for methods; ${String(key)} is none.`);
    const method: DecoratedMethod = { declaringClass: target.constructor, name: String(key) };
    injectOnce(target, property, inject);

    const wrapper = async function (this: object, ...args: unknown[]): Promise<unknown> {
      const bound = (this as Record<symbol, Aspect<Options> | undefined> | undefined)?.[property];
      if (bound === undefined) throw new AspectNotBoundError(decorator, method, module);
      const proceed = async (): Promise<unknown> => original.apply(this, args);
      return bound.around({ instance: this, args, proceed, method }, options);
    };
    takeOver(wrapper, original);
    descriptor.value = wrapper as unknown as NonNullable<typeof descriptor.value>;
  };
}

const injected = new WeakMap<object, Set<symbol>>();

/** Asks Nest for the provider, once per class and aspect, however many methods are decorated. */
function injectOnce(target: object, property: symbol, inject: PropertyDecorator): void {
  const properties = injected.get(target) ?? new Set();
  if (properties.has(property)) return;
  injected.set(target, properties.add(property));
  inject(target, property);
}

/** What others have put on the method, or read off it, must be found on the wrapper too. */
function takeOver(wrapper: object, original: Method): void {
  for (const key of Reflect.getMetadataKeys(original) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, original), wrapper);
  }
  Object.defineProperty(wrapper, 'name', { value: original.name, configurable: true });
  Object.defineProperty(wrapper, 'length', { value: original.length, configurable: true });
}

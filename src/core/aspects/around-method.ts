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
 * @param aspect token of a provider that implements `Aspect`, exported by a global module. It stands in Nest's message when that module is
 * missing; a symbol whose description says what to import makes it a helpful one.
 * @param module what to import when it is missing, for messages
 * @throws TypeError where it decorates something else than an instance method
 */
export function aroundMethod<Options>(
  decorator: string,
  aspect: InjectionToken,
  module: string,
  options: Options,
): MethodDecorator {
  const property = propertyFor(aspect);

  return (target, key, descriptor) => {
    const original = (descriptor as PropertyDescriptor | undefined)?.value as Method | undefined;
    if (typeof original !== 'function' || typeof target === 'function') {
      throw new TypeError(`@${decorator} is for methods of an instance; ${String(key)} is none.`);
    }
    const method: DecoratedMethod = { declaringClass: target.constructor, name: String(key) };
    injectOnce(target, property, aspect);

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

const properties = new Map<InjectionToken, symbol>();

/** Where instances keep the provider: one place for each token, however many decorators share it. */
function propertyFor(aspect: InjectionToken): symbol {
  const property = properties.get(aspect) ?? Symbol(typeof aspect === 'symbol' ? aspect.description : String(aspect));
  properties.set(aspect, property);
  return property;
}

const injected = new WeakMap<object, Set<symbol>>();

/** Asks Nest for the provider, once per class and aspect, however many methods are decorated. */
function injectOnce(target: object, property: symbol, aspect: InjectionToken): void {
  const known = injected.get(target) ?? new Set();
  if (known.has(property)) return;
  injected.set(target, known.add(property));
  Inject(aspect)(target, property);
}

/** What others have put on the method, or read off it, must be found on the wrapper too. */
function takeOver(wrapper: object, original: Method): void {
  for (const key of Reflect.getOwnMetadataKeys(original) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, original), wrapper);
  }
  for (const key of Reflect.ownKeys(original)) {
    const property = Object.getOwnPropertyDescriptor(original, key);
    if (property?.configurable === true) Object.defineProperty(wrapper, key, property);
  }
}

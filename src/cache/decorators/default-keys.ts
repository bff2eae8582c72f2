import type { DecoratedMethod, MethodCall } from '../../core/aspects/around-method.js';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import type { CacheKey } from '../cache.js';

interface NamedClass {
  readonly name: string;
}

/**
 * The key of a call that was given none: the class of the object, the method, the arguments. A method that a subclass inherits is
 * cached for each subclass apart, since it may find other data there; and a method that calls the one it overrides does not wait for itself.
 */
export class DefaultKeys {
  readonly #owners = new Map<string, NamedClass>();
  readonly #names = new WeakMap<DecoratedMethod, Map<NamedClass, string>>();

  /** Throws `ConfigurationError` where another class would be given the same keys in the cache of that name. */
  of({ instance, args, method }: MethodCall, cache: string): CacheKey {
    return [this.#nameOf(instance.constructor, method, cache), ...args] as CacheKey;
  }

  /** A method is decorated for one cache, always the same. */
  #nameOf(actual: NamedClass, method: DecoratedMethod, cache: string): string {
    let names = this.#names.get(method);
    if (names === undefined) {
      names = new Map();
      this.#names.set(method, names);
    }
    let name = names.get(actual);
    if (name === undefined) {
      name = this.#claim(actual, method, cache);
      names.set(actual, name);
    }
    return name;
  }

  /** In one cache two classes of one name would be given each other's values. */
  #claim(actual: NamedClass, method: DecoratedMethod, cache: string): string {
    const { declaringClass } = method;
    if (actual.name === '') {
      throw new ConfigurationError(`@Cacheable on '${method.name}' of a class without a name needs a 'key'.`);
    }
    const inherited = declaringClass === actual ? '' : `${declaringClass.name}.`;
    const name = `${actual.name}.${inherited}${method.name}`;
    const claim = JSON.stringify([cache, name]);
    const owner = this.#owners.get(claim);
    if (owner !== undefined && owner !== actual) {
      throw new ConfigurationError(
        `Two classes named ${actual.name} have a @Cacheable method '${method.name}', and without a 'key' they would share their entries in the cache '${cache}'. Give one of them a 'key', or a 'cache' of its own.`,
      );
    }
    this.#owners.set(claim, actual);
    return name;
  }
}

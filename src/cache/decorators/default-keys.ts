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

  of({ instance, args, method }: MethodCall): CacheKey {
    return [this.#nameOf(instance.constructor, method), ...args] as CacheKey;
  }

  #nameOf(actual: NamedClass, method: DecoratedMethod): string {
    let names = this.#names.get(method);
    if (names === undefined) {
      names = new Map();
      this.#names.set(method, names);
    }
    let name = names.get(actual);
    if (name === undefined) {
      name = this.#claim(actual, method);
      names.set(actual, name);
    }
    return name;
  }

  /** Two classes of one name would be given each other's values. */
  #claim(actual: NamedClass, method: DecoratedMethod): string {
    const { declaringClass } = method;
    if (actual.name === '') {
      throw new ConfigurationError(`@Cacheable on '${method.name}' of a class without a name needs a 'key'.`);
    }
    const inherited = declaringClass === actual ? '' : `${declaringClass.name}.`;
    const name = `${actual.name}.${inherited}${method.name}`;
    const owner = this.#owners.get(name);
    if (owner !== undefined && owner !== actual) {
      throw new ConfigurationError(
        `Two classes named ${actual.name} have a @Cacheable method '${method.name}', and without a 'key' they would share their entries. Give one of them a 'key' or a 'cache'.`,
      );
    }
    this.#owners.set(name, actual);
    return name;
  }
}

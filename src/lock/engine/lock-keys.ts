import type { RedisConnection } from '../../core/redis/redis-connection.js';
import { KeySpace } from '../../core/keys/key-space.js';
import { toKeyParts, type KeyParts } from '../../core/keys/key-part.js';
import { AllOf, type LockName } from '../lock-name.js';
import { LockUsageError } from '../lock.errors.js';

/** Where one lock lies. All of one slot. */
export class LockKeys {
  readonly shares: string;
  readonly queue: string;

  constructor(readonly lock: string) {
    this.shares = `${lock}:shares`;
    this.queue = `${lock}:queue`;
  }
}

/** Names the keys of locks: `<prefix>:lock:{<name>}`. */
export class LockKeySpace {
  readonly #space: KeySpace;

  constructor({ keyPrefix }: Pick<RedisConnection, 'keyPrefix'>) {
    this.#space = new KeySpace(keyPrefix, 'lock');
  }

  /**
   * The keys of each lock of the name, each once, and in an order that depends on the locks alone.
   *
   * @throws {LockUsageError} when a name is empty, or there is none
   * @throws {KeyEncodingError} when a part of it cannot be part of a key
   */
  of(name: LockName): readonly LockKeys[] {
    if (!(name instanceof AllOf)) return [this.#one(name)];
    if (name.names.length === 0) throw new LockUsageError('allOf() needs one name or more.');
    const keys = name.names.map((one) => this.#one(one));
    const unique = new Map(keys.map((one) => [one.lock, one]));
    return [...unique.values()].sort((a, b) => (a.lock < b.lock ? -1 : 1));
  }

  /** The same for what is done to one lock at a time. */
  one(name: LockName): LockKeys {
    if (name instanceof AllOf)
      throw new LockUsageError('This is done to one lock at a time: give one name instead of allOf().');
    return this.#one(name);
  }

  #one(name: KeyParts): LockKeys {
    if (name === '') throw new LockUsageError("The name of a lock must not be empty; it is ''.");
    if (typeof name !== 'string') {
      const parts = toKeyParts(name);
      if (parts.length === 0 || parts.some((part) => part === '' || part === undefined || part === null)) {
        throw new LockUsageError('The name of a lock must not be empty, and each of its parts has to be something.');
      }
    }
    return new LockKeys(this.#space.key(name));
  }
}

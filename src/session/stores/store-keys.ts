import type { RedisConnection } from '../../core/redis/redis-connection.js';
import { KeySpace } from '../../core/keys/key-space.js';
import { placeOfForeignId } from '../engine/session-id.js';

/**
 * Names the keys of a store's sessions: `<prefix>:<library>:{<slot tag>}:s<digest>`. An id may be any text; it cannot be read from its key, and the sessions lie
 * evenly over a cluster.
 */
export class StoreKeys {
  readonly #space: KeySpace;

  /** @throws {ConfigurationError} for a name that cannot be */
  constructor({ keyPrefix }: Pick<RedisConnection, 'keyPrefix'>, library: string, names: readonly string[]) {
    this.#space = new KeySpace(keyPrefix, library, ...names);
  }

  of(id: string): string {
    const { tag, digest } = placeOfForeignId(id);
    return this.#space.key(tag, 's') + digest;
  }

  /** What SCAN finds the keys of this store by, and none of the stores with a name that lie within its space. */
  pattern(): string {
    return `${this.#space.prefix}{*`;
  }
}

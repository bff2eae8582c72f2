import type { RedisAddress, RedisCredentials } from '../../core/redis/config/redis.options.js';

export type { RedisAddress };

/** Every server listens here and nowhere else. */
export const LOOPBACK = '127.0.0.1';

/** What a client needs to be let in. */
export interface RedisAccess extends RedisCredentials {
  /** The authority that signed the server's certificate, as PEM. */
  readonly tls?: { readonly ca: string };
}

import { openConnectRedis } from './connect-redis.mjs';
import { openRaw } from './raw.mjs';
import { openRookery } from './rookery.mjs';

/**
 * Each opens sessions by `{ redis: { host, port }, prolongs, settings }` and gives `{ create(user, attributes), read(token, name), open(token), close() }`:
 *
 * - `create` resolves with what its client comes with again;
 * - `read` loads a session, puts its end off as that library does, and resolves with an attribute; with undefined where there is no session;
 * - `open` loads it to be changed, and gives `{ set(name, value), save(), destroy() }`, or null. `save` resolves with whether it is written.
 *
 * `prolongs` is how the raw one puts ends off, `settings` are ours. Connections have the same settings for all.
 */
export const sessions = {
  raw: openRaw,
  rookery: openRookery,
  'connect-redis': openConnectRedis,
};

/** For the header of a claim. connect-redis asks for the client of node-redis. */
export const PACKAGES = ['rookery', 'ioredis', 'connect-redis', '@redis/client', 'express-session'];

import type { RedisOptions } from 'ioredis';

/** The part of ioredis's options that says where a server is and who we are to it. */
export type Location = Pick<RedisOptions, 'host' | 'port' | 'path' | 'username' | 'password' | 'db' | 'tls'>;

/**
 * Reads `redis://user:password@host:port/db`, `rediss://...` and `unix:///path`. Percent-escapes in user and password are
 * decoded. The URL's validity has been checked before.
 */
export function parseRedisUrl(text: string): Location {
  const url = new URL(text);
  if (url.protocol === 'unix:') return { path: decodeURIComponent(url.pathname) };
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const db = url.pathname.slice(1);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1',
    port: url.port === '' ? 6379 : Number(url.port),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(db === '' ? {} : { db: Number(db) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

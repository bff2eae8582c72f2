import type { ClientAddressOptions } from '../core/calls/client-addresses.js';
import type { Duration } from '../core/time/duration.js';

/** The cookie that brings a session's id. It is always `HttpOnly`. */
export interface SessionCookieOptions {
  /** Default `__Host-sid` where a browser takes that (secure, for `/`, without a domain), else `__Secure-sid`, and `sid` without `secure`. */
  readonly name?: string;
  /** Whether it is sent over HTTPS alone. Default true; false is for development. */
  readonly secure?: boolean;
  /** Default `'lax'`: requests that other sites make bring it only when people follow a link. `'none'` needs `secure`. */
  readonly sameSite?: 'strict' | 'lax' | 'none';
  /** Sends it to all hosts of a domain. Default: to the host that has set it alone. */
  readonly domain?: string;
  /** Default `'/'`. */
  readonly path?: string;
  /** Whether it outlives the browser's session, until the absolute timeout. Default false. */
  readonly persistent?: boolean;
}

/** How long a session lasts. */
export interface SessionLifetime {
  /** It ends when it has not been used for that long. Default: the module's, `'30m'`. */
  readonly idleTimeout?: Duration;
  /** It ends after that time, however much it is used. Default: the module's, `'12h'`. */
  readonly absoluteTimeout?: Duration;
}

/** How the ends of sessions are told. */
export interface SessionEndsOptions {
  /** How often this process looks for them, while it has listeners. Default `'5s'`. */
  readonly every?: Duration;
  /** After that, an end that a listener has not dealt with is told once more, by whichever process comes first. Longer than a listener takes. Default `'30s'`. */
  readonly retryAfter?: Duration;
}

/** Options of `SessionModule.forRoot`. */
export interface SessionModuleOptions extends SessionLifetime {
  /** What cookies are signed with, 32 characters or more each: the first signs, all of them verify. To change it, put a new one in front, and take the old one out when no session is left from before. */
  readonly secrets: readonly string[];
  readonly cookie?: SessionCookieOptions;
  /** For how long an id that was replaced can still be read with, by requests under way. Default `'10s'`; `'0ms'` for not at all. */
  readonly rotationGrace?: Duration;
  /** How many sessions a user may have at once. Default: any number. */
  readonly maxPerUser?: number;
  /** What happens when there are more: the oldest ends, or the login is refused with `TooManySessionsError`. Default `'end-oldest'`. */
  readonly whenFull?: 'end-oldest' | 'refuse';
  /** How the address of a device is told, or `false` to keep neither address nor user agent. Default: the other end of the connection. */
  readonly device?: Pick<ClientAddressOptions, 'trustedProxies' | 'header'> | false;
  /** Origins, such as `'https://app.example.com'`, whose pages may send requests with the cookie besides the application's own: for `CsrfGuard` and WebSockets. Default: none. */
  readonly trustedOrigins?: readonly string[];
  /** Tells listeners when a session has ended, for whatever reason, at least once. Default: nobody is told, and nothing is kept for it. */
  readonly ends?: SessionEndsOptions;
  /** How long one command may take. Default `'1s'`. */
  readonly redisDeadline?: Duration;
  /** Name of the Redis connection. Default: the default one. */
  readonly connection?: string;
}

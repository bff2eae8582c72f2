import { ConfigurationError } from '../../core/errors/configuration.error.js';
import type { SessionCookieOptions } from '../session.options.js';

/** The cookie's options, checked and with their defaults. */
export interface CookieConfig {
  readonly name: string;
  /** What follows its value, but for the time that it lasts. */
  readonly attributes: string;
  readonly persistent: boolean;
}

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const DOMAIN = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i;
// Any visible ASCII character but `;`.
const PATH = /^\/[\x21-\x3a\x3c-\x7e]*$/;
const SAME_SITE = { strict: 'Strict', lax: 'Lax', none: 'None' } as const;

/** @throws {ConfigurationError} that names the option */
export function resolveCookie(options: SessionCookieOptions): CookieConfig {
  const { secure = true, sameSite = 'lax', domain, path = '/', persistent = false } = options;
  const fitsHost = secure && domain === undefined && path === '/';
  const name = options.name ?? (fitsHost ? '__Host-sid' : secure ? '__Secure-sid' : 'sid');
  check(NAME.test(name), 'cookie.name must be made of letters, digits and the like, without spaces');
  check(PATH.test(path), "cookie.path must begin with '/' and hold no ';' or spaces");
  check(domain === undefined || DOMAIN.test(domain), "cookie.domain must be a domain, such as 'example.com'");
  check(Object.hasOwn(SAME_SITE, sameSite), "cookie.sameSite must be 'strict', 'lax' or 'none'");
  check(sameSite !== 'none' || secure, "cookie.sameSite 'none' needs cookie.secure");
  check(
    !/^__Host-/i.test(name) || fitsHost,
    `a cookie of the name ${name} must be secure, for path '/' and without a domain`,
  );
  check(!/^__Secure-/i.test(name) || secure, `a cookie of the name ${name} must be secure`);
  const attributes = [
    `Path=${path}`,
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    'HttpOnly',
    ...(secure ? ['Secure'] : []),
    `SameSite=${SAME_SITE[sameSite]}`,
  ];
  return { name, attributes: attributes.join('; '), persistent };
}

function check(isGood: boolean, message: string): void {
  if (!isGood) throw new ConfigurationError(`SessionModule: ${message}.`);
}

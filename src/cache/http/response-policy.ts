import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { durationOption } from '../../core/time/duration-option.js';
import type { GetOrSetOptions } from '../cache.options.js';
import { DEFAULT_POLICY, resolvePolicy } from '../engine/policy.js';
import { cacheControl } from './cache-control.js';
import type { CacheResponseOptions } from './cache-response.options.js';

/** Statuses that HTTP lets a cache keep by default (RFC 9110, section 15.1), without those of ranges and of other methods. */
const CACHEABLE = [200, 203, 204, 300, 301, 404, 410];

/** What describes a body, or where it is. */
const KEPT_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'expires',
  'last-modified',
  'link',
  'location',
];

/** Headers of one connection or one client (RFC 9110, section 7.6.1), or that are made for each answer. */
export const NEVER_KEPT: ReadonlySet<string> = new Set(
  'age connection content-length date etag keep-alive proxy-authenticate proxy-connection set-cookie te trailer transfer-encoding upgrade vary x-cache'.split(
    ' ',
  ),
);

/** A header that carries a secret has no place in a key; `per` says who it stands for. */
const CREDENTIALS = new Set(
  'authorization cookie proxy-authorization api-key x-access-token x-amz-security-token x-api-key x-auth-token x-authorization x-csrf-token x-forwarded-access-token x-session-id x-session-token x-xsrf-token'.split(
    ' ',
  ),
);

/** Options that are the cache's own, handed on as they are. */
const OF_CACHE = [
  'ttl',
  'jitter',
  'staleWhileRevalidate',
  'failSafe',
  'throttle',
  'softTimeout',
  'hardTimeout',
  'eagerRefresh',
  'earlyRefresh',
  'backoff',
] as const;

const FIELD_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const DEFAULT_MAX_BYTES = 1_048_576;

/** The options of one route, checked and with every default filled in. */
export interface ResponsePolicy {
  readonly options: CacheResponseOptions;
  /** In lower case. */
  readonly vary: readonly string[];
  /** In lower case, as they are sent. */
  readonly varySent: readonly string[];
  readonly query: ReadonlySet<string> | undefined;
  readonly statuses: ReadonlySet<number>;
  /** In lower case. */
  readonly keptHeaders: readonly string[];
  readonly maxBytes: number;
  readonly cacheControl: string;
  /** What the cache is told, but for tags that depend on the request. */
  readonly storing: GetOrSetOptions;
}

/** Fills defaults in and checks the result. Throws `ConfigurationError` naming the route, the option and the fix. */
export function resolveResponsePolicy(options: CacheResponseOptions, route: string): ResponsePolicy {
  const at = (option: string): string => `@CacheResponse on ${route}: ${option}`;
  const { shared = false, maxAge, sharedMaxAge, maxBytes = DEFAULT_MAX_BYTES } = options;
  if (shared && options.per !== undefined) throw new ConfigurationError(at(`'shared' and 'per' exclude each other.`));
  if (!shared && sharedMaxAge !== undefined) throw new ConfigurationError(at(`'sharedMaxAge' needs 'shared: true'.`));
  resolvePolicy(DEFAULT_POLICY, options, ` of @CacheResponse on ${route}`);
  if (!(Number.isInteger(maxBytes) && maxBytes >= 0)) {
    throw new ConfigurationError(at(`maxBytes must be a number of bytes; it is ${maxBytes}.`));
  }
  const vary = fieldNames(options.vary ?? [], at('vary'), CREDENTIALS, `who asks belongs into 'per'`);
  const headers = fieldNames(options.headers ?? [], at('headers'), NEVER_KEPT, 'it is never kept');
  // An answer that clients keep must not be shown to the same client once it has logged in.
  const byClient = !shared && maxAge !== undefined ? ['authorization', 'cookie'] : [];
  return {
    options,
    vary,
    varySent: [...vary, ...byClient],
    query: options.query === undefined ? undefined : new Set(options.query),
    statuses: new Set(checkStatuses(options.statuses ?? [200], at('statuses'))),
    keptHeaders: [...new Set([...KEPT_HEADERS, ...headers])],
    maxBytes,
    cacheControl: cacheControl(
      shared,
      maxAge === undefined ? undefined : durationOption(maxAge, at('maxAge')),
      sharedMaxAge === undefined ? undefined : durationOption(sharedMaxAge, at('sharedMaxAge')),
    ),
    storing: storingOptions(options),
  };
}

function storingOptions(options: CacheResponseOptions): GetOrSetOptions {
  const { tags } = options;
  const given = OF_CACHE.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  const storing = Object.fromEntries(given) as GetOrSetOptions;
  return tags === undefined || typeof tags === 'function' ? storing : { ...storing, tags };
}

function checkStatuses(statuses: readonly number[], option: string): readonly number[] {
  const wrong = statuses.find((status) => !CACHEABLE.includes(status));
  if (wrong === undefined) return statuses;
  throw new ConfigurationError(`${option} may hold ${CACHEABLE.join(', ')}; ${wrong} is not to be cached.`);
}

function fieldNames(names: readonly string[], option: string, forbidden: ReadonlySet<string>, why: string): string[] {
  return names.map((name) => {
    const field = name.toLowerCase();
    if (!FIELD_NAME.test(field)) throw new ConfigurationError(`${option} must hold names of headers.`);
    if (forbidden.has(field)) throw new ConfigurationError(`${option} must not hold '${field}': ${why}.`);
    return field;
  });
}

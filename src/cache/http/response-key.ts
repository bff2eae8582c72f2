import { parse } from 'node:querystring';
import { toKeyParts, type KeyPart, type KeyParts } from '../../core/keys/key-part.js';
import { countedQuery, isEmptyQuery } from './counted-query.js';

/** Begins the key of every answer: nothing else that is kept in the same cache, nor an answer in another layout, can be taken for one. */
const LAYOUT = 'response2';

/** What else than its address tells one answer from another. */
export interface ResponseKeyParts {
  /** What `per` gave. */
  readonly per?: KeyPart;
  /** The values of the `vary` headers that the request had, by their names in lower case. */
  readonly vary?: Readonly<Record<string, string>>;
  /** The version of the handler, where versions are not part of the path. */
  readonly version?: string | readonly string[];
  /** The host, where the controller has a `host`. */
  readonly host?: string;
}

/** The same, and the query as the handler is given it. */
export interface AllKeyParts extends ResponseKeyParts {
  readonly query?: unknown;
}

/** Headers in which case and spaces make no difference (RFC 9110, section 12.5). */
const NEGOTIATION = new Set(['accept', 'accept-charset', 'accept-encoding', 'accept-language']);

/**
 * The key of an answer that `@CacheResponse` keeps: `cache.delete(responseKey('/products?page=2'))`.
 *
 * @param page a path as it is in the URL, prefix included, with its query; neither the order of differently named parameters matters nor what is
 * percent-encoded. Parameters that a parser makes lists of lists or objects of, as Express' extended one does of `filter[brand]`, no URL stands
 * for: use tags there. For a route that has a `key`, a list of what that gives.
 */
export function responseKey(page: string | readonly KeyPart[], parts: ResponseKeyParts = {}): KeyParts {
  const others = { ...parts, ...(parts.vary === undefined ? {} : { vary: normalised(parts.vary) }) };
  if (typeof page !== 'string') return withParts(customKey(page), others);
  const mark = page.indexOf('?');
  const query = mark === -1 ? undefined : countedQuery(parse(page.slice(mark + 1)), undefined);
  return withParts(addressKey(page), { ...others, query: isEmptyQuery(query) ? undefined : query });
}

/** The key of the path in a URL. The query goes with the other parts. */
export function addressKey(url: string): KeyPart[] {
  const mark = url.indexOf('?');
  return [LAYOUT, mark === -1 ? url : url.slice(0, mark)];
}

/** The key of what a route's `key` gave. */
export function customKey(key: KeyParts): KeyPart[] {
  return [LAYOUT, toKeyParts(key)];
}

/** Adds what is there of the other parts. */
export function withParts(key: readonly KeyPart[], parts: AllKeyParts): KeyParts {
  const present = Object.entries(parts).filter(([, value]) => value !== undefined && value !== null);
  return present.length === 0 ? key : [...key, Object.fromEntries(present)];
}

/** A header's value in the form in which it stands in keys. */
export function normalisedHeader(name: string, value: string): string {
  if (!NEGOTIATION.has(name)) return value.trim();
  return value
    .toLowerCase()
    .replace(/\s*([,;])\s*/g, '$1')
    .trim();
}

function normalised(vary: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(vary).map(([name, value]) => {
      const field = name.toLowerCase();
      return [field, normalisedHeader(field, value)];
    }),
  );
}

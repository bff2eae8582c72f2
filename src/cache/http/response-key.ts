import { toKeyParts, type KeyPart, type KeyParts } from '../../core/keys/key-part.js';

/** Begins the key of every answer: nothing else that is kept in the same cache, nor an answer in another layout, can be taken for one. */
const LAYOUT = 'response1';

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

/**
 * The key of an answer that `@CacheResponse` keeps: `cache.delete(responseKey('/products?page=2'))`.
 *
 * @param page a path as it is in the URL, prefix included, with its query; the order of differently named parameters does not matter. For a
 * route that has a `key`, a list of what that gives.
 */
export function responseKey(page: string | readonly KeyPart[], parts: ResponseKeyParts = {}): KeyParts {
  const key = typeof page === 'string' ? addressKey(page, undefined) : customKey(page);
  return withParts(key, { ...parts, ...(parts.vary === undefined ? {} : { vary: normalised(parts.vary) }) });
}

/** The key of a URL. Where `query` is given, other parameters do not count. */
export function addressKey(url: string, query: ReadonlySet<string> | undefined): KeyPart[] {
  const mark = url.indexOf('?');
  if (mark === -1) return [LAYOUT, url];
  const canonical = canonicalQuery(url.slice(mark + 1), query);
  return canonical === '' ? [LAYOUT, url.slice(0, mark)] : [LAYOUT, url.slice(0, mark), canonical];
}

/** The key of what a route's `key` gave. */
export function customKey(key: KeyParts): KeyPart[] {
  return [LAYOUT, toKeyParts(key)];
}

/** Adds what is there of the other parts. */
export function withParts(key: readonly KeyPart[], parts: ResponseKeyParts): KeyParts {
  const present = Object.entries(parts).filter(([, value]) => value !== undefined && value !== null);
  return present.length === 0 ? key : [...key, Object.fromEntries(present)];
}

/** A header's value in the form in which it stands in keys: spaces and case make no difference. */
export function normalisedHeader(value: string): string {
  return value
    .toLowerCase()
    .replace(/\s*([,;])\s*/g, '$1')
    .trim();
}

/**
 * The query with its parameters in order of their names. The values of one name stay in their order, and nothing is decoded, so that no two
 * queries that a handler could tell apart become one: `a[]`, `a[x]`, `a.b` and `%61` count as `a`, since a parser may join them.
 */
export function canonicalQuery(query: string, only: ReadonlySet<string> | undefined): string {
  if (only === undefined && !query.includes('&')) return query;
  const parameters = query.split('&').map((text) => ({ text, name: parameterName(text) }));
  const kept = only === undefined ? parameters : parameters.filter(({ name }) => only.has(name));
  kept.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return kept.map(({ text }) => text).join('&');
}

/** The name of the parameter that `brand[0]=apple` is part of. */
export function parameterName(parameter: string): string {
  const end = parameter.indexOf('=');
  const raw = end === -1 ? parameter : parameter.slice(0, end);
  const name = raw.includes('%') || raw.includes('+') ? decode(raw) : raw;
  const nested = name.search(/[[.]/);
  return nested === -1 ? name : name.slice(0, nested);
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
}

function normalised(vary: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(vary).map(([name, value]) => [name.toLowerCase(), normalisedHeader(value)]));
}

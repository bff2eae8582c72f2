import { matchesEntityTag } from './entity-tag.js';
import type { HttpExchange } from './http-exchange.js';
import type { StoredResponse } from './stored-response.js';

/**
 * Whether the client has this answer already: RFC 9110, section 13.2.2. `If-Modified-Since` counts only where there is no `If-None-Match`, and
 * only for an answer that says when it was modified.
 */
export function isNotModified(exchange: HttpExchange, stored: StoredResponse): boolean {
  const { 'if-none-match': ifNoneMatch, 'if-modified-since': ifModifiedSince } = exchange.request.headers;
  if (stored.status < 200 || stored.status > 299) return false;
  if (ifNoneMatch !== undefined) return matchesEntityTag(ifNoneMatch, stored.etag);
  if (ifModifiedSince === undefined) return false;
  const lastModified =
    stored.headers.find(([name]) => name === 'last-modified')?.[1] ?? exchange.header('last-modified');
  if (typeof lastModified !== 'string') return false;
  // An invalid date is NaN, which no comparison holds for.
  return Date.parse(lastModified) <= Date.parse(ifModifiedSince);
}

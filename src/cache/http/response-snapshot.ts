import type { HttpExchange } from './http-exchange.js';
import type { HeaderValue } from './response-head.js';
import type { StoredHeader } from './stored-response.js';

/** The headers of a response before its handler ran: what `@Header()` and middleware set is set for each request anew, and is not to be kept. */
export class ResponseSnapshot {
  readonly vary: readonly string[];
  readonly #headers: readonly HeaderValue[];
  readonly #names: ReadonlySet<string>;

  constructor(
    private readonly exchange: HttpExchange,
    private readonly names: readonly string[],
  ) {
    this.vary = fieldsOf(exchange.header('vary'));
    this.#headers = names.map((name) => exchange.header(name));
    this.#names = new Set(exchange.headerNames);
  }

  /** Those that are others by now. */
  changes(): readonly StoredHeader[] {
    const changed: StoredHeader[] = [];
    this.names.forEach((name, index) => {
      const value = this.exchange.header(name);
      if (value !== undefined && value !== this.#headers[index]) changed.push([name, value]);
    });
    return changed;
  }

  /** The names of those that are new and not among the ones that count. */
  others(): readonly string[] {
    return this.exchange.headerNames.filter((name) => !this.#names.has(name) && !this.names.includes(name));
  }
}

/** The members of a header that lists names, in lower case. */
export function fieldsOf(header: HeaderValue): readonly string[] {
  if (header === undefined) return [];
  return String(header)
    .split(',')
    .map((field) => field.trim().toLowerCase())
    .filter((field) => field !== '');
}

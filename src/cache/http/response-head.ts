import { ServerResponse } from 'node:http';
import type { Cancel, Clock } from '../../core/time/clock.js';
import { hasDirective, PRIVATE } from './cache-control.js';

/** The value of a response header. */
export type HeaderValue = string | readonly string[] | undefined;

/** Finds a header by its name in lower case. */
export type HeaderLookup = (name: string) => HeaderValue;

/** What is needed of Node's response, over whichever version of HTTP. */
export interface RawResponse {
  readonly destroyed: boolean;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  readonly statusCode: number;
  writeHead(...args: unknown[]): unknown;
  end(...args: unknown[]): unknown;
  getHeader(name: string): number | HeaderValue;
  hasHeader(name: string): boolean;
  setHeader(name: string, value: unknown): unknown;
  appendHeader(name: string, value: unknown): unknown;
  removeHeader(name: string): void;
  once(event: 'close', listener: () => void): unknown;
}

type GivenHeaders = readonly (readonly [name: string, value: unknown])[];

/** How long after the client went away an answer may still be written: it is, to nobody, unless an interceptor swallowed it. */
const GRACE_MS = 1_000;

const SETTERS = ['setHeader', 'appendHeader'] as const;
const NO_HEADERS: GivenHeaders = [];

/**
 * The moment at which the headers of a response are written. Sessions and cookies set theirs as late as that: before, nobody can say that an answer has none.
 *
 * Made once per response, before its headers are written.
 */
export class ResponseHead {
  readonly #writeHead: RawResponse['writeHead'];
  /** Whether nobody else waits for the headers to be written. */
  readonly #isPlain: boolean;
  #written: HeaderLookup | undefined;
  #settle: ((headers: HeaderLookup | null) => void) | undefined;
  #cancel: Cancel | undefined;
  #keepsCookiesPrivate = false;
  #dropsEntityTag = false;

  constructor(private readonly raw: RawResponse) {
    this.#isPlain = raw.writeHead === (ServerResponse.prototype as unknown as RawResponse).writeHead;
    this.#writeHead = raw.writeHead.bind(raw);
    if (!raw.headersSent) raw.writeHead = (...args) => this.#write(args);
  }

  /** No proxy is allowed to keep the answer, should a cookie be in it, whatever `Cache-Control` says by then. */
  keepCookiesPrivate(): void {
    this.#keepsCookiesPrivate = true;
  }

  /** The adapter's entity tag is not sent. */
  dropEntityTag(): void {
    this.#dropsEntityTag = true;
  }

  /** The headers as they were written, once they are; null when they never will be. `otherwise` finds those that were written before anybody watched. */
  written(clock: Clock, otherwise: HeaderLookup): Promise<HeaderLookup | null> {
    const { raw } = this;
    if (this.#written !== undefined) return Promise.resolve(this.#written);
    if (raw.headersSent) return Promise.resolve(otherwise);
    return new Promise((resolve) => {
      this.#settle = resolve;
      const giveUp = (): void => resolve(raw.headersSent ? otherwise : null);
      const closed = (): void => {
        if (this.#written === undefined) this.#cancel = clock.setTimeout(giveUp, GRACE_MS);
      };
      this.#writeForNobody();
      if (raw.destroyed) closed();
      else raw.once('close', closed);
    });
  }

  /** Node writes no headers once the client is gone, unless it is told to: those who wait for the answer need to know what they would have been. */
  #writeForNobody(): void {
    const { raw } = this;
    const end = raw.end.bind(raw);
    const write = (): void => {
      if (raw.destroyed && !raw.headersSent) raw.writeHead(raw.statusCode);
    };
    if (raw.writableEnded) write();
    raw.end = (...args) => {
      write();
      return end(...args);
    };
  }

  #write(args: unknown[]): unknown {
    const { raw } = this;
    if (this.#written !== undefined) return this.#writeHead(...args);
    if (this.#dropsEntityTag) raw.removeHeader('etag');
    const given = headersAmong(args);
    const hasCookie = raw.hasHeader('set-cookie') || valueOf(given, 'set-cookie') !== undefined;
    const written = this.#isPlain && !hasCookie ? this.#writeHead(...args) : this.#writeOneByOne(args, given);
    this.#written = (name) => textOf(raw.getHeader(name) ?? valueOf(given, name));
    this.#cancel?.();
    this.#settle?.(this.#written);
    return written;
  }

  /** Others may add headers before they are written. Set one by one, all of them can be seen, and the last word had. */
  #writeOneByOne(args: unknown[], given: GivenHeaders): unknown {
    const { raw } = this;
    if (this.#keepsCookiesPrivate) this.#watchSetters();
    for (const [name] of given) raw.removeHeader(name);
    for (const [name, value] of given) raw.appendHeader(name, value);
    return this.#writeHead(...args.filter((arg) => typeof arg !== 'object'));
  }

  #watchSetters(): void {
    const { raw } = this;
    const keepPrivate = (): void => {
      if (raw.hasHeader('set-cookie') && isPublic(textOf(raw.getHeader('cache-control')))) {
        raw.setHeader('cache-control', PRIVATE);
      }
    };
    for (const method of SETTERS) {
      const set = raw[method].bind(raw);
      raw[method] = (name, value) => {
        set(name, value);
        if (['set-cookie', 'cache-control'].includes(name.toLowerCase())) keepPrivate();
        return raw;
      };
    }
    keepPrivate();
  }
}

/** Whether a `Cache-Control` lets proxies keep an answer. */
export function isPublic(cacheControl: HeaderValue): boolean {
  const text = String(cacheControl ?? '');
  return !hasDirective(text, 'private') && !hasDirective(text, 'no-store');
}

/** What `writeHead` is given: an object, or a list of names and values, flat or in pairs. */
function headersAmong(args: unknown[]): GivenHeaders {
  const headers = args.find((arg) => typeof arg === 'object' && arg !== null);
  if (headers === undefined) return NO_HEADERS;
  if (!Array.isArray(headers)) return Object.entries(headers);
  if (Array.isArray(headers[0])) return headers as GivenHeaders;
  return headers.flatMap((name, i) => (i % 2 === 0 ? [[String(name), headers[i + 1]] as const] : []));
}

function valueOf(given: GivenHeaders, name: string): number | HeaderValue {
  return given.find(([field]) => field.toLowerCase() === name)?.[1] as number | HeaderValue;
}

function textOf(value: number | HeaderValue): HeaderValue {
  return typeof value === 'number' ? String(value) : value;
}

import type { CallHandler } from '@nestjs/common';
import { lastValueFrom } from 'rxjs';
import type { Clock } from '../../core/time/clock.js';
import type { EncodedBody } from './body-encoder.js';
import { entityTag } from './entity-tag.js';
import type { HttpExchange } from './http-exchange.js';
import { isForMiddleware, mayBeKept } from './may-be-kept.js';
import { ResponseSnapshot } from './response-snapshot.js';
import type { ResponsePolicy } from './response-policy.js';
import type { StoredResponse } from './stored-response.js';

/** What a run needs to know of its route. */
export interface RouteOfRun {
  readonly policy: ResponsePolicy;
  readonly clock: Clock;
  /** What the handler gave, as it is to be kept; undefined for what cannot be. */
  encode(value: unknown, exchange: HttpExchange): EncodedBody | undefined;
  /** Told the names of headers that a handler set and that no hit will have. */
  noteLost(headers: readonly string[]): void;
}

/** The handler of one request, as the loader of a cache: run for this request, for those who wait with it, or after it was answered. */
export class HandlerRun {
  /** What the handler gave to this request. */
  result: { readonly value: unknown } | undefined;
  hasBegun = false;
  readonly #status: number;
  /** What this request was answered with, once it was: a handler that runs on has no response to set headers on. */
  #served: StoredResponse | undefined;
  /** The status then sent, or null when the handler had already set one. */
  #sentStatus: number | null = null;
  #kept: StoredResponse | undefined;
  #answer: ((stored: StoredResponse | undefined) => void) | undefined;

  constructor(
    private readonly route: RouteOfRun,
    private readonly exchange: HttpExchange,
    private readonly next: CallHandler,
    /** Whether the entry is for one user alone. */
    private readonly isPersonal: boolean,
    /** What counts of the query. */
    private readonly query: unknown,
  ) {
    this.#status = exchange.response.statusCode;
  }

  /** What the cache finds or, if that is sooner, what this run makes: its own request is the one that need not wait until it is known what was sent. */
  answer(find: () => Promise<StoredResponse | undefined>): Promise<StoredResponse | undefined> {
    return new Promise((resolve, reject) => {
      this.#answer = resolve;
      find().then(resolve, reject);
    });
  }

  /** Sets the status of the answer that the request is about to be given. */
  serve(stored: StoredResponse, status: number): void {
    const { exchange } = this;
    this.#served = stored;
    const { statusCode } = exchange.response;
    if (statusCode === this.#status) this.#sentStatus = status;
    if (statusCode !== status) exchange.setStatus(status);
  }

  /**
   * Runs the handler. Undefined for an answer that cannot be kept: `result` has it for this request, and others ask for themselves. What can is kept once its
   * headers were written: cookies may come as late as that.
   */
  readonly load = async (): Promise<StoredResponse | undefined> => {
    this.hasBegun = true;
    const { exchange, route } = this;
    const { head } = exchange;
    const before = new ResponseSnapshot(exchange, route.policy.keptHeaders);
    this.hideOtherParameters();
    let value: unknown;
    try {
      value = await lastValueFrom(this.next.handle());
    } catch (error) {
      if (this.#served !== undefined && isTooLateForHeaders(error)) return undefined;
      throw error;
    }
    this.result = { value };
    const atMs = route.clock.now();
    const served = this.#served;
    this.#kept = served === undefined ? this.#keep(value, atMs, before) : this.#keepUnseen(value, atMs, before, served);
    this.#answer?.(this.#kept);
    if (this.#kept === undefined) return undefined;
    const written = await head.written(route.clock, (name) => exchange.header(name));
    const isSharable = written !== null && mayBeKept(written, route.policy, this.isPersonal, isForMiddleware);
    return isSharable ? this.#kept : undefined;
  };

  /** A handler that reads a parameter which does not stand in the key would answer everybody with what one client sent. */
  hideOtherParameters(): void {
    if (this.route.policy.query === undefined) return;
    // Express 5 has a getter there, on the prototype.
    Object.defineProperty(this.exchange.request, 'query', {
      value: this.query,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }

  /** Whether an answer is what this run made. A stale one can be at hand sooner than this request is answered. */
  made({ atMs, etag }: StoredResponse): boolean {
    return this.#kept?.atMs === atMs && this.#kept.etag === etag;
  }

  /** What the handler did to the response can be seen. */
  #keep(value: unknown, atMs: number, before: ResponseSnapshot): StoredResponse | undefined {
    const { exchange } = this;
    const status = exchange.response.statusCode;
    const encoded = this.#encode(value);
    if (encoded === undefined || !this.#mayBeKept(status, before)) return undefined;
    this.route.noteLost(before.others());
    const contentType = exchange.header('content-type');
    const type = contentType === undefined ? encoded.type : null;
    const own = exchange.header('etag');
    return this.#stored(encoded, atMs, {
      status,
      headers: before.changes(),
      type,
      etag: typeof own === 'string' ? own : undefined,
    });
  }

  /** The response is gone: what the handler set on it cannot be told from what was sent. So it must have set nothing, now and before. */
  #keepUnseen(
    value: unknown,
    atMs: number,
    before: ResponseSnapshot,
    served: StoredResponse,
  ): StoredResponse | undefined {
    const encoded = this.#encode(value);
    const seemsPlain =
      served.headers.length === 0 &&
      served.status === this.#status &&
      this.exchange.response.statusCode === this.#sentStatus &&
      this.exchange.header('set-cookie') === undefined &&
      before.changes().every(([name, value]) => value === this.#sentByUs(name));
    if (encoded === undefined || !seemsPlain) return undefined;
    const type = served.type === null ? null : encoded.type;
    return this.#stored(encoded, atMs, { status: served.status, headers: [], type, etag: undefined });
  }

  #sentByUs(name: string): unknown {
    if (name === 'cache-control') return this.route.policy.cacheControl;
    return name === 'content-type' ? this.exchange.header(name) : undefined;
  }

  #stored(
    encoded: EncodedBody,
    atMs: number,
    facts: Pick<StoredResponse, 'status' | 'type' | 'headers'> & { readonly etag: string | undefined },
  ): StoredResponse {
    const { status, headers, type, etag } = facts;
    const kind = type ?? headers.find(([name]) => name === 'content-type')?.[1].toString() ?? null;
    const tag = etag ?? entityTag(kind, encoded.body, encoded.form === 'value');
    return { ...encoded, status, headers, type, etag: tag, atMs };
  }

  #encode(value: unknown): EncodedBody | undefined {
    const { policy } = this.route;
    if (policy.options.unless?.(value, this.exchange.context) === true) return undefined;
    const encoded = this.route.encode(value, this.exchange);
    return encoded !== undefined && Buffer.byteLength(encoded.body) <= policy.maxBytes ? encoded : undefined;
  }

  #mayBeKept(status: number, before: ResponseSnapshot): boolean {
    const { exchange, isPersonal } = this;
    const { policy } = this.route;
    const isNegotiated = (field: string): boolean => isForMiddleware(field) && before.vary.includes(field);
    return policy.statuses.has(status) && mayBeKept((name) => exchange.header(name), policy, isPersonal, isNegotiated);
  }
}

function isTooLateForHeaders(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === 'ERR_HTTP_HEADERS_SENT';
}

import { Logger, type CallHandler, type ExecutionContext } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { of, tap, type Observable } from 'rxjs';
import { toKeyParts, type KeyParts } from '../../core/keys/key-part.js';
import type { Clock } from '../../core/time/clock.js';
import { durationMs } from '../../core/time/duration.js';
import type { GetOrSetOptions } from '../cache.options.js';
import type { Cache } from '../cache.js';
import { decodeBody, encodeBody, encodeValue, isStream, type EncodedBody } from './body-encoder.js';
import { hasDirective } from './cache-control.js';
import { reportResponse, type CacheOutcome } from './cache-status.js';
import { isNotModified } from './conditional-request.js';
import { countedQuery, fitsIntoKey, isEmptyQuery } from './counted-query.js';
import { HandlerRun, type RouteOfRun } from './handler-run.js';
import { HttpExchange } from './http-exchange.js';
import { isPublic } from './response-head.js';
import { addressKey, customKey, normalisedHeader, withParts, type ResponseKeyParts } from './response-key.js';
import { NEVER_KEPT, type ResponsePolicy } from './response-policy.js';
import { fieldsOf } from './response-snapshot.js';
import type { StoredResponse } from './stored-response.js';

/** What a route is made from. */
export interface ResponseRouteParts {
  readonly name: string;
  readonly policy: ResponsePolicy;
  readonly adapter: AbstractHttpAdapter;
  readonly store: Cache;
  readonly clock: Clock;
  /** Whether interceptors above are to see what the handler gave, and not how it is sent. */
  readonly keepsValues: boolean;
  readonly version: string | readonly string[] | undefined;
  readonly isBoundToHost: boolean;
}

/** Of a 304, beside the entity tag and what is set for every answer (RFC 9110, section 15.4.5). */
const OF_NOT_MODIFIED = new Set(['cache-control', 'content-location', 'expires']);

/** Begins the key under which a refresh that a client asks for runs. Nothing is kept there. */
const REFRESH = 'response-refresh';

/** One handler whose answers are cached. */
export class ResponseRoute implements RouteOfRun {
  readonly policy: ResponsePolicy;
  readonly clock: Clock;
  readonly #ttlMs: number | undefined;
  readonly #varySent: string;
  readonly #hasPlainKey: boolean;
  readonly #isPublic: boolean;
  readonly #refreshing: GetOrSetOptions;
  readonly #warned = new Set<'instances' | 'headers'>();

  constructor(private readonly parts: ResponseRouteParts) {
    const { policy, clock, version, isBoundToHost } = parts;
    const { ttl, hardTimeout } = policy.options;
    this.policy = policy;
    this.clock = clock;
    this.#ttlMs = ttl === undefined ? undefined : durationMs(ttl);
    this.#varySent = policy.varySent.join(', ');
    this.#isPublic = isPublic(policy.cacheControl);
    this.#hasPlainKey =
      policy.vary.length === 0 && policy.options.per === undefined && version === undefined && !isBoundToHost;
    this.#refreshing = { unless: () => true, backoff: false, ...(hardTimeout === undefined ? {} : { hardTimeout }) };
  }

  /** Answers from the cache, or runs the handler. The guards have run. */
  async answer(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const exchange = new HttpExchange(this.parts.adapter, context);
    const { method } = exchange;
    if (method !== 'GET' && method !== 'HEAD') return next.handle();
    const { options } = this.policy;
    const identity = options.per?.(context);
    const isPersonal = identity !== undefined && identity !== null;
    const isOneForAll = options.shared === true || isPersonal || !exchange.isAuthenticated;
    if (!isOneForAll || options.condition?.(context) === false) return this.#bypass(exchange, next);

    const query = countedQuery(exchange.request.query, this.policy.query);
    if (options.key === undefined && !fitsIntoKey(query)) return this.#bypass(exchange, next);
    const key = this.#key(exchange, identity, query);
    const run = new HandlerRun(this, exchange, next, isPersonal, query);
    const startedMs = this.clock.now();
    // A handler may leave out the body when it is asked by HEAD: only GET fills the cache.
    const stored = await (method === 'HEAD'
      ? this.parts.store.get<StoredResponse>(key)
      : run.answer(() => this.#find(key, run, exchange)));
    if (stored !== undefined) return this.#send(stored, run, exchange, startedMs);
    if (method === 'HEAD') return this.#runForHead(run, exchange, next);
    // What another request's handler gave was not for us, or cannot be sent twice.
    if (run.result === undefined) return this.#bypass(exchange, next);
    this.#note(exchange, 'bypass');
    return of(run.result.value);
  }

  encode(value: unknown, exchange: HttpExchange): EncodedBody | undefined {
    const { keepsValues, adapter } = this.parts;
    if (!keepsValues) return encodeBody(adapter, exchange.response, value);
    const encoded = typeof value === 'object' && value !== null && isStream(value) ? undefined : encodeValue(value);
    if (encoded === undefined && value !== undefined && !isStreamLike(value)) this.#warnOfInstances();
    return encoded;
  }

  noteLost(headers: readonly string[]): void {
    const lost = headers.filter((name) => !NEVER_KEPT.has(name));
    if (lost.length === 0) return;
    this.#warn(
      'headers',
      `${this.parts.name} sets ${lost.join(', ')}, which its answers from the cache do not have. Name them in 'headers' if they are the same for everybody.`,
    );
  }

  async #find(key: KeyParts, run: HandlerRun, exchange: HttpExchange): Promise<StoredResponse | undefined> {
    const { store } = this.parts;
    const { options, storing: common } = this.policy;
    const { tags, allowClientRefresh } = options;
    const storing = typeof tags === 'function' ? { ...common, tags: tags(exchange.context) } : common;
    const asksAnew = hasDirective(exchange.request.headers['cache-control'] ?? '', 'no-cache');
    if (allowClientRefresh === true && asksAnew) await this.#refresh(key, run, storing);
    return run.result === undefined ? store.getOrSet(key, run.load, storing) : undefined;
  }

  /**
   * Runs the handler once for all who have asked for that by the time it begins; who asks later waits for the next run. What is there is for everybody else until
   * the new answer takes its place, and stays when the handler fails. What is invalidated meanwhile is not stored.
   */
  async #refresh(key: KeyParts, run: HandlerRun, storing: GetOrSetOptions): Promise<void> {
    const { store } = this.parts;
    const askedMs = this.clock.monotonicMs();
    const refresh = async (): Promise<number> => {
      const begunMs = this.clock.monotonicMs();
      // Where there is nothing, others are to wait for this run, and not to run the handler themselves.
      if ((await store.get(key)) === undefined) await store.getOrSet(key, run.load, storing);
      if (!run.hasBegun) await store.writeThrough(key, run.load, storing);
      return begunMs;
    };
    while ((await store.getOrSet<number>([REFRESH, toKeyParts(key)], refresh, this.#refreshing)) < askedMs);
  }

  /** As if undecorated, but without an entity tag of the body, which may be another than GET's. */
  #runForHead(run: HandlerRun, exchange: HttpExchange, next: CallHandler): Observable<unknown> {
    this.#note(exchange, 'miss');
    run.hideOtherParameters();
    const keepOwnTagOnly = (): void => {
      if (exchange.header('etag') === undefined) exchange.head.dropEntityTag();
    };
    return next.handle().pipe(tap(keepOwnTagOnly));
  }

  #send(stored: StoredResponse, run: HandlerRun, exchange: HttpExchange, startedMs: number): Observable<unknown> {
    const notModified = isNotModified(exchange, stored);
    run.serve(stored, notModified ? 304 : stored.status);
    const isOwn = run.made(stored);
    const isNew = isOwn || stored.atMs > startedMs;
    this.#note(exchange, isNew ? 'miss' : this.#isStale(stored, run) ? 'stale' : 'hit');
    for (const [name, value] of stored.headers) {
      if (!notModified || OF_NOT_MODIFIED.has(name)) exchange.setHeader(name, value);
    }
    this.#setOwnHeaders(stored, exchange, startedMs);
    const { keepsValues } = this.parts;
    // Interceptors above may not expect to be handed nothing; a 304 has no body whatever it is given.
    if (notModified) return of(keepsValues ? decodeBody(stored) : undefined);
    if (stored.type !== null) exchange.setHeader('content-type', stored.type);
    return of(keepsValues && isOwn ? run.result?.value : decodeBody(stored));
  }

  #setOwnHeaders(stored: StoredResponse, exchange: HttpExchange, nowMs: number): void {
    exchange.setHeader('etag', stored.etag);
    if (this.#varySent !== '') addToVary(exchange, this.#varySent, this.policy.varySent);
    if (this.policy.options.shared === true) {
      exchange.setHeader('age', String(Math.max(0, Math.floor((nowMs - stored.atMs) / 1_000))));
    }
    const given = exchange.header('cache-control');
    if (given === undefined) exchange.setHeader('cache-control', this.policy.cacheControl);
    if (given === undefined ? this.#isPublic : isPublic(given)) exchange.head.keepCookiesPrivate();
  }

  #isStale(stored: StoredResponse, run: HandlerRun): boolean {
    return this.#ttlMs === undefined ? run.hasBegun : this.clock.now() - stored.atMs >= this.#ttlMs;
  }

  #key(exchange: HttpExchange, per: ResponseKeyParts['per'], query: unknown): KeyParts {
    const { key: custom } = this.policy.options;
    const key = custom === undefined ? addressKey(exchange.url) : customKey(custom(exchange.context));
    const counted = custom === undefined && !isEmptyQuery(query) ? query : undefined;
    if (this.#hasPlainKey) return counted === undefined ? key : [...key, { query: counted }];
    const { version, isBoundToHost } = this.parts;
    return withParts(key, {
      per,
      query: counted,
      ...(version === undefined ? {} : { version }),
      ...(isBoundToHost ? { host: exchange.hostname } : {}),
      ...(this.policy.vary.length === 0 ? {} : { vary: this.#varied(exchange) }),
    });
  }

  #varied({ request }: HttpExchange): Record<string, string> {
    const present = this.policy.vary.filter((name) => request.headers[name] !== undefined);
    return Object.fromEntries(present.map((name) => [name, normalisedHeader(name, String(request.headers[name]))]));
  }

  #bypass(exchange: HttpExchange, next: CallHandler): Observable<unknown> {
    this.#note(exchange, 'bypass');
    return next.handle();
  }

  #note(exchange: HttpExchange, outcome: CacheOutcome): void {
    exchange.setHeader('x-cache', outcome);
    reportResponse(outcome);
  }

  #warnOfInstances(): void {
    this.#warn(
      'instances',
      `${this.parts.name} is not cached: it gives instances of classes, which come back from a cache as plain objects, and interceptors of the ` +
        `controller or the application run above @CacheResponse and would see the difference. Put what serialises (ClassSerializerInterceptor) on ` +
        `the handler itself, and set 'finalBody: true' if those above leave the body alone; or return plain objects.`,
    );
  }

  #warn(about: 'instances' | 'headers', message: string): void {
    if (this.#warned.has(about)) return;
    this.#warned.add(about);
    new Logger('CacheModule').warn(message);
  }
}

function addToVary(exchange: HttpExchange, sent: string, names: readonly string[]): void {
  const present = fieldsOf(exchange.header('vary'));
  if (present.length === 0) exchange.setHeader('vary', sent);
  else exchange.setHeader('vary', [...new Set([...present, ...names])].join(', '));
}

function isStreamLike(value: unknown): boolean {
  return typeof value === 'object' && value !== null && isStream(value);
}

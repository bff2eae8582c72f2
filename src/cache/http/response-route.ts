import { Logger, type CallHandler, type ExecutionContext } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { of, type Observable } from 'rxjs';
import type { KeyParts } from '../../core/keys/key-part.js';
import type { Clock } from '../../core/time/clock.js';
import { durationMs } from '../../core/time/duration.js';
import type { Cache } from '../cache.js';
import { decodeBody, encodeBody, encodeValue, isStream, type EncodedBody } from './body-encoder.js';
import { hasDirective, PRIVATE } from './cache-control.js';
import { reportResponse, type CacheOutcome } from './cache-status.js';
import { isNotModified } from './conditional-request.js';
import { HandlerRun, type RouteOfRun } from './handler-run.js';
import { HttpExchange } from './http-exchange.js';
import { addressKey, customKey, normalisedHeader, withParts, type ResponseKeyParts } from './response-key.js';
import type { ResponsePolicy } from './response-policy.js';
import { fieldsOf } from './response-snapshot.js';
import type { StoredResponse } from './stored-response.js';

/** What a route is made from. */
export interface ResponseRouteParts {
  readonly name: string;
  readonly policy: ResponsePolicy;
  readonly adapter: AbstractHttpAdapter;
  readonly store: Cache<StoredResponse | undefined>;
  readonly clock: Clock;
  /** Whether interceptors above are to see what the handler gave, and not how it is sent. */
  readonly keepsValues: boolean;
  readonly version: string | readonly string[] | undefined;
  readonly isBoundToHost: boolean;
}

/** Of a 304, beside the entity tag and what is set for every answer (RFC 9110, section 15.4.5). */
const OF_NOT_MODIFIED = new Set(['cache-control', 'content-location', 'expires']);

/** One handler whose answers are cached. */
export class ResponseRoute implements RouteOfRun {
  readonly policy: ResponsePolicy;
  readonly clock: Clock;
  readonly #ttlMs: number | undefined;
  readonly #varySent: string;
  readonly #hasPlainKey: boolean;
  #hasWarned = false;

  constructor(private readonly parts: ResponseRouteParts) {
    const { policy, clock, version, isBoundToHost } = parts;
    const { ttl } = policy.options;
    this.policy = policy;
    this.clock = clock;
    this.#ttlMs = ttl === undefined ? undefined : durationMs(ttl);
    this.#varySent = policy.varySent.join(', ');
    this.#hasPlainKey =
      policy.vary.length === 0 && policy.options.per === undefined && version === undefined && !isBoundToHost;
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

    const key = this.#key(exchange, identity);
    const run = new HandlerRun(this, exchange, next, isPersonal);
    const startedMs = this.clock.now();
    const stored = await this.#find(key, run, exchange);
    if (stored !== undefined) return this.#send(stored, run, exchange, startedMs);
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

  async #find(key: KeyParts, run: HandlerRun, exchange: HttpExchange): Promise<StoredResponse | undefined> {
    const { store } = this.parts;
    const { options, storing: common } = this.policy;
    const { tags, allowClientRefresh } = options;
    const storing = typeof tags === 'function' ? { ...common, tags: tags(exchange.context) } : common;
    // A handler may leave out the body when it is asked by HEAD: only GET fills the cache.
    if (exchange.method === 'HEAD') return (await store.get(key)) ?? run.load();
    if (allowClientRefresh !== true || !hasDirective(exchange.request.headers['cache-control'] ?? '', 'no-cache')) {
      return store.getOrSet(key, run.load, storing);
    }
    const loaded = await run.load();
    if (loaded !== undefined) await store.set(key, loaded, storing);
    return loaded;
  }

  #send(stored: StoredResponse, run: HandlerRun, exchange: HttpExchange, startedMs: number): Observable<unknown> {
    run.served = stored;
    const isOwn = run.made(stored);
    const isNew = isOwn || stored.atMs > startedMs;
    this.#note(exchange, isNew ? 'miss' : this.#isStale(stored, run) ? 'stale' : 'hit');
    const notModified = isNotModified(exchange, stored);
    for (const [name, value] of stored.headers) {
      if (!notModified || OF_NOT_MODIFIED.has(name)) exchange.setHeader(name, value);
    }
    this.#setOwnHeaders(stored, exchange, startedMs);
    const { keepsValues } = this.parts;
    if (notModified) {
      exchange.setStatus(304);
      // Interceptors above may not expect to be handed nothing; a 304 has no body whatever it is given.
      return of(keepsValues ? decodeBody(stored) : undefined);
    }
    if (stored.status !== exchange.response.statusCode) exchange.setStatus(stored.status);
    if (stored.type !== null) exchange.setHeader('content-type', stored.type);
    return of(keepsValues && isOwn ? run.result?.value : decodeBody(stored));
  }

  #setOwnHeaders(stored: StoredResponse, exchange: HttpExchange, nowMs: number): void {
    exchange.setHeader('etag', stored.etag);
    if (this.#varySent !== '') addToVary(exchange, this.#varySent, this.policy.varySent);
    if (this.policy.options.shared === true) {
      exchange.setHeader('age', String(Math.max(0, Math.floor((nowMs - stored.atMs) / 1_000))));
      // Middleware gives this client a cookie: no proxy may keep that for others.
      if (exchange.header('set-cookie') !== undefined) {
        exchange.setHeader('cache-control', PRIVATE);
        return;
      }
    }
    if (exchange.header('cache-control') === undefined) exchange.setHeader('cache-control', this.policy.cacheControl);
  }

  #isStale(stored: StoredResponse, run: HandlerRun): boolean {
    return this.#ttlMs === undefined ? run.hasBegun : this.clock.now() - stored.atMs >= this.#ttlMs;
  }

  #key(exchange: HttpExchange, per: ResponseKeyParts['per']): KeyParts {
    const { options, query } = this.policy;
    const key = options.key === undefined ? addressKey(exchange.url, query) : customKey(options.key(exchange.context));
    if (this.#hasPlainKey) return key;
    const { version, isBoundToHost } = this.parts;
    return withParts(key, {
      per,
      ...(version === undefined ? {} : { version }),
      ...(isBoundToHost ? { host: exchange.hostname } : {}),
      ...(this.policy.vary.length === 0 ? {} : { vary: this.#varied(exchange) }),
    });
  }

  #varied({ request }: HttpExchange): Record<string, string> {
    const present = this.policy.vary.filter((name) => request.headers[name] !== undefined);
    return Object.fromEntries(present.map((name) => [name, normalisedHeader(String(request.headers[name]))]));
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
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    new Logger('CacheResponse').warn(
      `${this.parts.name} is not cached: it gives instances of classes, which come back from a cache as plain objects, and interceptors of the ` +
        `controller or the application run above @CacheResponse and would see the difference. Put what serialises (ClassSerializerInterceptor) on ` +
        `the handler itself, and set 'finalBody: true' if those above leave the body alone; or return plain objects.`,
    );
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

import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, type ExecutionContext } from '@nestjs/common';
import { callerOf, type Caller } from '../../core/calls/caller.js';
import { nodeRequestOf, responseTo, type AnyRequest } from '../../core/calls/node-request.js';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import type { KnownToken } from '../cookie/known-tokens.js';
import { SessionRuntime } from '../session.runtime.js';
import { SessionHandle } from '../session.js';
import { routeRules } from './route-metadata.js';
import { NO_CARRIER, ResponseCarrier } from './response-carrier.js';

const OTHER_HANDLERS = 'Ask SessionService there.';

/** The session of a request, or of a message. */
class OpenSession {
  session: SessionHandle | undefined;
  opened!: Promise<SessionHandle>;

  /** Null where the answer can set no cookie. */
  constructor(readonly carrier: ResponseCarrier | null) {}
}

/**
 * Where Node's request keeps its session, so that middleware, guards and handlers of either adapter find the same one. Not in a WeakMap: each of its entries is work for
 * the garbage collector, which came to a fifth of the time of a route. Of a message, it is what its guards and its handler have in common.
 */
const SESSION: unique symbol = Symbol('rookery:session');

interface SessionBearer {
  [SESSION]?: OpenSession | undefined;
}

/** The session of a message, whose handler is called with other objects than its guards. Costs nothing until there is one. */
const sessionOfMessage = new AsyncLocalStorage<SessionHandle>();

/** Calls the handler, in which {@link currentSession} finds the session. */
export function handleWith<Result>(
  session: SessionHandle,
  context: ExecutionContext,
  next: { handle(): Result },
): Result {
  if (context.getType() === 'http' || !isMessage(callerOf(context, OTHER_HANDLERS))) return next.handle();
  return sessionOfMessage.run(session, () => next.handle());
}

/** The session that {@link RequestSessions} has found for this call. */
export function currentSession(context: ExecutionContext): SessionHandle {
  const caller = callerOf(context, OTHER_HANDLERS);
  const session = isMessage(caller) ? sessionOfMessage.getStore() : bearerOf(caller.request)[SESSION]?.session;
  if (session !== undefined) return session;
  throw new ConfigurationError(
    `@Session() found no session in ${context.getClass().name}: its interceptor did not run. Import SessionModule.forRoot(). If that is done, a decorator beneath @Get() or its ` +
      'kind has put another function in place of the handler, and has to copy the metadata of the one that it wraps.',
  );
}

/** Whether a call is one of many that a connection makes: a gateway's message, or that of a resolver over a WebSocket, whose handshake says its version. */
function isMessage({ type, headers }: Pick<Caller, 'type' | 'headers'>): boolean {
  return type === 'ws' || (type === 'graphql' && headers['sec-websocket-version'] !== undefined);
}

/** Finds the session of a request, and reads it once however often it is asked for. */
@Injectable()
export class RequestSessions {
  constructor(private readonly runtime: SessionRuntime) {}

  /**
   * The session of a call: of a handler of HTTP, or of a GraphQL resolver. Of a gateway's message, and of a resolver that is called over a WebSocket, by the
   * cookie of the handshake, unless a page of another site has made that: then it is a new one, and it cannot be stored.
   *
   * What a guard changes is saved by `@Session()` if the handler has that. Elsewhere it calls `save()`: without it, the change of a new session is lost.
   *
   * A cookie that is not in order, or of no session, makes for a new one. Rejects with `RedisUnavailableError`; whoever asks again, asks Redis again. One round
   * trip for a request, and for each message and each such resolver; none without a cookie.
   */
  of(context: ExecutionContext): Promise<SessionHandle> {
    const caller = callerOf(context, OTHER_HANDLERS);
    const isUse = !routeRules(context).isPassive;
    if (isMessage(caller)) return this.#ofMessage(caller, isUse);
    if (caller.type === 'rpc' || caller.request === undefined) {
      throw new ConfigurationError(`A call of type ${caller.type} without a request has no session. ${OTHER_HANDLERS}`);
    }
    return this.#ofRequest(caller, isUse);
  }

  /** The same for middleware. */
  ofMiddleware(request: AnyRequest, response: unknown): Promise<SessionHandle> {
    const { headers = {} } = request;
    const remoteAddress = nodeRequestOf(request).socket?.remoteAddress;
    return this.#ofRequest({ type: 'http', request, response, headers, remoteAddress }, true);
  }

  /** @internal The save of a request's session has failed: it is not tried once more when the answer is out. */
  giveUp(context: ExecutionContext): void {
    bearerOf(callerOf(context, OTHER_HANDLERS).request)[SESSION]?.carrier?.giveUp();
  }

  #ofRequest(call: SessionCall, isUse: boolean): Promise<SessionHandle> {
    const bearer = bearerOf(call.request);
    return bearer[SESSION]?.opened ?? this.#openRequest(call, isUse, bearer);
  }

  #openRequest(call: SessionCall, isUse: boolean, bearer: SessionBearer): Promise<SessionHandle> {
    const { cookie, devices } = this.runtime;
    const token = this.#tokenOf(call);
    const response = call.response ?? responseTo(call.request as AnyRequest);
    const carrier =
      response === undefined
        ? null
        : new ResponseCarrier(response, cookie, () => devices.of(call), token !== undefined);
    return this.#open(bearer, token, isUse, carrier);
  }

  #ofMessage(caller: Caller, isUse: boolean): Promise<SessionHandle> {
    // Not the connection: what it found once would be its session for ever.
    const bearer = caller.identity as SessionBearer;
    const open = bearer[SESSION];
    if (open !== undefined) return open.opened;
    // Pages of other sites can open a WebSocket too, and browsers send the cookie along.
    const token = this.runtime.origins.admits(caller) ? this.#tokenOf(caller) : undefined;
    return this.#open(bearer, token, isUse, null);
  }

  #open(
    bearer: SessionBearer,
    token: KnownToken | null | undefined,
    isUse: boolean,
    carrier: ResponseCarrier | null,
  ): Promise<SessionHandle> {
    const open = new OpenSession(carrier);
    bearer[SESSION] = open;
    open.opened = this.#load(bearer, open, token ?? null, isUse);
    return open.opened;
  }

  async #load(
    bearer: SessionBearer,
    open: OpenSession,
    token: KnownToken | null,
    isUse: boolean,
  ): Promise<SessionHandle> {
    try {
      open.session = await this.runtime.open(token, isUse, open.carrier ?? NO_CARRIER);
      return open.session;
    } catch (error) {
      // Whoever asks again may find Redis back.
      bearer[SESSION] = undefined;
      throw error;
    }
  }

  #tokenOf({ headers }: Pick<Caller, 'headers'>): KnownToken | null | undefined {
    const token = this.runtime.cookie.read(headers['cookie']);
    if (token === null) this.runtime.counters.rejectedCookies += 1;
    return token;
  }
}

function bearerOf(request: unknown): SessionBearer {
  return nodeRequestOf(request as AnyRequest) as SessionBearer;
}

/** What is read of a request. */
type SessionCall = Pick<Caller, 'type' | 'request' | 'response' | 'headers' | 'remoteAddress'>;

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

/** The session of a request. */
class OpenSession {
  session: SessionHandle | undefined;

  constructor(
    readonly opened: Promise<SessionHandle>,
    readonly carrier: ResponseCarrier | null,
  ) {}
}

/**
 * Where Node's request keeps its session, so that middleware, guards and handlers of either adapter find the same one. Not in a WeakMap: each of its entries is work for
 * the garbage collector, which came to a fifth of the time of a route.
 */
const SESSION: unique symbol = Symbol('rookery:session');

interface SessionBearer extends AnyRequest {
  [SESSION]?: OpenSession;
}

/** The session of a message, which has no request to keep it on. Costs nothing until there is one. */
const sessionOfMessage = new AsyncLocalStorage<SessionHandle>();

/** Runs `work`, in which {@link currentSession} finds the session of a message. */
export function withSession<Result>(session: SessionHandle, work: () => Result): Result {
  return sessionOfMessage.run(session, work);
}

/** The session that {@link RequestSessions} has found for this call. */
export function currentSession(context: ExecutionContext): SessionHandle {
  const { type, request } = callerOf(context, OTHER_HANDLERS);
  const session = type === 'ws' ? sessionOfMessage.getStore() : bearerOf(request)[SESSION]?.session;
  if (session !== undefined) return session;
  throw new ConfigurationError(
    `@Session() found no session in ${context.getClass().name}: its interceptor did not run. Import SessionModule.forRoot().`,
  );
}

/** Finds the session of a request, and reads it once however often it is asked for. */
@Injectable()
export class RequestSessions {
  constructor(private readonly runtime: SessionRuntime) {}

  /**
   * The session of a call: of a handler of HTTP, of a GraphQL resolver, or of a gateway's message, by the cookie of its handshake.
   *
   * A cookie that is not in order, or of no session, makes for a new one. Rejects with `RedisUnavailableError`. One round trip for a request, and for each
   * message; none without a cookie.
   */
  of(context: ExecutionContext): Promise<SessionHandle> {
    const caller = callerOf(context, OTHER_HANDLERS);
    const isUse = !routeRules(context).isPassive;
    if (caller.type === 'ws') return this.#ofMessage(caller, isUse);
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

  #ofRequest(call: SessionCall, isUse: boolean): Promise<SessionHandle> {
    const bearer = bearerOf(call.request);
    const open = bearer[SESSION];
    if (open === undefined) return this.#open(call, isUse, bearer).opened;
    // Middleware on Fastify has but Node's response, whose cookies those of the reply would replace.
    if (call.response !== undefined) open.carrier?.answerBy(call.response);
    return open.opened;
  }

  #open(call: SessionCall, isUse: boolean, bearer: SessionBearer): OpenSession {
    const { cookie, devices } = this.runtime;
    const token = this.#tokenOf(call);
    const response = call.response ?? responseTo(call.request as AnyRequest);
    const carrier =
      response === undefined
        ? null
        : new ResponseCarrier(response, cookie, () => devices.of(call), token !== undefined);
    const open: OpenSession = new OpenSession(
      this.runtime.open(token ?? null, isUse, carrier ?? NO_CARRIER).then((session) => {
        open.session = session;
        return session;
      }),
      carrier,
    );
    bearer[SESSION] = open;
    return open;
  }

  #ofMessage(caller: Caller, isUse: boolean): Promise<SessionHandle> {
    // Pages of other sites can open a WebSocket too, and browsers send the cookie along.
    const token = this.runtime.origins.admits(caller) ? this.#tokenOf(caller) : undefined;
    return this.runtime.open(token ?? null, isUse, NO_CARRIER);
  }

  #tokenOf({ headers }: Pick<Caller, 'headers'>): KnownToken | null | undefined {
    const token = this.runtime.cookie.read(headers['cookie']);
    if (token === null) this.runtime.counters.rejectedCookies += 1;
    return token;
  }
}

function bearerOf(request: unknown): SessionBearer {
  return nodeRequestOf(request as AnyRequest);
}

/** What is read of a request. */
type SessionCall = Pick<Caller, 'type' | 'request' | 'response' | 'headers' | 'remoteAddress'>;

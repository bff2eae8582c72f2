import type { ExecutionContext } from '@nestjs/common';
import { ConfigurationError } from '../errors/configuration.error.js';
import { nodeRequestOf, responseTo, userOf, type AnyRequest, type AnySocket } from './node-request.js';

/** Who calls a handler, the same for every kind of handler and on every adapter. */
export interface Caller {
  readonly type: 'http' | 'graphql' | 'ws' | 'rpc';
  readonly context: ExecutionContext;
  /** The request (http, graphql), the client's socket (ws), or the context of the transport (rpc). */
  readonly request: unknown;
  /** Of http, and of graphql where the GraphQL context leads to one: `res`, `reply`, or the request. Else undefined: a subscription over a WebSocket has none. */
  readonly response: unknown;
  /** Names are in lower case. Empty where there are none: with rpc, and with the package `ws` unless the gateway has kept the upgrade request as `client.request`. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The other end of the connection, which may be a proxy. Undefined with rpc, with a unix socket, and when the client has left. */
  readonly remoteAddress: string | undefined;
  /** Who is logged in, as guards and middleware have it: `request.user`; `client.data.user` (ws). */
  readonly user: unknown;
  /** What is one and the same object for all guards of one call, and for no other call. */
  readonly identity: object;
}

/**
 * Who makes the call of this context. Nothing of the request is read until it is asked for.
 *
 * Throws `ConfigurationError` for a kind of handler that is none of http, graphql, ws and rpc; `otherwise` says in it what to do instead.
 */
export function callerOf(context: ExecutionContext, otherwise: string): Caller {
  const type = context.getType<string>();
  switch (type) {
    case 'http':
      return new HttpCaller(context);
    case 'graphql':
      return new GraphqlCaller(context);
    case 'ws':
      return new WsCaller(context);
    case 'rpc':
      return new RpcCaller(context);
    default:
      throw new ConfigurationError(
        `It cannot be told who calls a handler of type '${type}': only http, graphql, ws and rpc are known. ${otherwise}`,
      );
  }
}

const NO_HEADERS: Caller['headers'] = Object.freeze({});

class HttpCaller implements Caller {
  readonly type = 'http';
  readonly request: AnyRequest;

  constructor(readonly context: ExecutionContext) {
    // Not switchToHttp(), which makes three functions each time.
    this.request = context.getArgByIndex<AnyRequest>(0);
  }

  get response(): unknown {
    return this.context.getArgByIndex<unknown>(1);
  }

  get headers(): Caller['headers'] {
    return this.request.headers ?? NO_HEADERS;
  }

  get remoteAddress(): string | undefined {
    return nodeRequestOf(this.request).socket?.remoteAddress;
  }

  get user(): unknown {
    return userOf(this.request);
  }

  get identity(): object {
    return nodeRequestOf(this.request);
  }
}

/** What graphql-ws adds to its own context: the upgrade request, and what `onConnect` has put there. */
interface SubscriptionExtra {
  readonly request?: AnyRequest;
  readonly user?: unknown;
}

/** What servers and applications put into the GraphQL context. */
interface GraphqlContext {
  readonly req?: AnyRequest & { readonly extra?: SubscriptionExtra };
  readonly request?: AnyRequest;
  readonly res?: unknown;
  readonly reply?: { readonly request?: AnyRequest };
  readonly extra?: SubscriptionExtra;
  readonly user?: unknown;
}

class GraphqlCaller implements Caller {
  readonly type = 'graphql';
  readonly request: AnyRequest | undefined;
  readonly identity: object;
  readonly #graphql: GraphqlContext;
  readonly #extra: SubscriptionExtra | undefined;

  constructor(readonly context: ExecutionContext) {
    const info = context.getArgByIndex<object | undefined>(3);
    // A reference resolver of a federation has no arguments, and shares its info with all that are resolved beside it.
    this.identity = info ?? context.getArgs<unknown[]>();
    this.#graphql = context.getArgByIndex<GraphqlContext | undefined>(info === undefined ? 1 : 2) ?? {};
    const { req, request, reply, extra } = this.#graphql;
    // Nest takes the context of graphql-ws for a request, and puts it where requests are.
    this.#extra = extra ?? req?.extra;
    this.request = req?.extra?.request ?? req ?? request ?? reply?.request ?? extra?.request;
  }

  get response(): unknown {
    const { res, reply } = this.#graphql;
    return res ?? reply ?? (this.request === undefined ? undefined : responseTo(this.request));
  }

  get headers(): Caller['headers'] {
    return this.request?.headers ?? NO_HEADERS;
  }

  get remoteAddress(): string | undefined {
    return this.request === undefined ? undefined : nodeRequestOf(this.request).socket?.remoteAddress;
  }

  get user(): unknown {
    return userOf(this.request) ?? this.#graphql.user ?? this.#extra?.user;
  }
}

/** A client of a gateway: socket.io's, which has a handshake, or one of the package `ws`. */
interface WsClient {
  readonly handshake?: { readonly headers?: Caller['headers']; readonly address?: string };
  readonly data?: { readonly user?: unknown };
  readonly user?: unknown;
  /** socket.io's own, or where an application keeps what `handleConnection` is given with `ws`. */
  readonly request?: AnyRequest;
  readonly _socket?: AnySocket | null;
}

class WsCaller implements Caller {
  readonly type = 'ws';
  readonly request: WsClient;
  readonly response = undefined;

  constructor(readonly context: ExecutionContext) {
    this.request = context.getArgByIndex<WsClient>(0);
  }

  get headers(): Caller['headers'] {
    return this.request.handshake?.headers ?? this.request.request?.headers ?? NO_HEADERS;
  }

  get remoteAddress(): string | undefined {
    return this.request.handshake?.address ?? this.request._socket?.remoteAddress;
  }

  get user(): unknown {
    return this.request.data?.user ?? this.request.user;
  }

  get identity(): object {
    return this.context.getArgs<unknown[]>();
  }
}

class RpcCaller implements Caller {
  readonly type = 'rpc';
  readonly response = undefined;
  readonly headers = NO_HEADERS;
  readonly remoteAddress = undefined;
  readonly user = undefined;

  constructor(readonly context: ExecutionContext) {}

  get request(): unknown {
    return this.context.getArgByIndex<unknown>(1);
  }

  get identity(): object {
    return this.context.getArgs<unknown[]>();
  }
}

import type { IncomingHttpHeaders } from 'node:http';

/** What is read of a connection. */
export interface AnySocket {
  readonly remoteAddress?: string | undefined;
  readonly localAddress?: string | undefined;
  readonly destroyed?: boolean;
  /** Node's: the response that is being sent. */
  readonly _httpMessage?: { readonly req?: unknown } | null;
}

/** What requests have in common: Node's, which Express' are too, and Fastify's, which hold Node's as `raw`. */
export interface AnyRequest {
  readonly headers?: IncomingHttpHeaders;
  readonly socket?: AnySocket;
  readonly user?: unknown;
  readonly raw?: AnyRequest;
  /** Express': the response to this request. */
  readonly res?: unknown;
}

/** Node's request behind a request of either adapter. */
export function nodeRequestOf(request: AnyRequest): AnyRequest {
  const { raw } = request;
  // An Express application may have put something of its own there.
  return raw?.socket === undefined ? request : raw;
}

/**
 * The response to a request: Express' request knows it, and otherwise its connection does. Undefined with HTTP/2 on Fastify, and while the
 * connection still answers an earlier request.
 */
export function responseTo(request: AnyRequest): unknown {
  if (request.res !== undefined) return request.res;
  const nodeRequest = nodeRequestOf(request);
  const response = nodeRequest.socket?._httpMessage;
  return response?.req === nodeRequest ? response : undefined;
}

/** Who is logged in: guards put that on the adapter's request, and middleware on Fastify puts it on Node's. */
export function userOf(request: AnyRequest | undefined): unknown {
  return request?.user ?? request?.raw?.user;
}

/**
 * Whether a connection without a remote address comes by a unix socket. A TCP connection that its client has just closed has no remote
 * address either, and must not pass for a proxy: it still has a local one, until it is destroyed.
 */
export function isUnixSocket(socket: AnySocket | undefined): boolean {
  return socket !== undefined && socket.destroyed !== true && socket.localAddress === undefined;
}

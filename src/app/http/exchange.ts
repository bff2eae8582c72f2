import type { ServerResponse } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';

/** One request and its response, the same on every adapter. */
export interface Exchange {
  readonly method: string;
  /** The pattern of the route, such as `/products/:id`, known once it was matched; never the values in it. */
  route(): string;
  readonly response: ServerResponse;
}

interface ExpressRequest {
  readonly method: string;
  readonly route?: { readonly path: string };
}

interface FastifyRequest {
  readonly method: string;
  readonly routeOptions?: { readonly url?: string | undefined };
}

const NO_ROUTE = '(no route)';

/** Calls the listener as each request arrives, before anything else of the service sees it. */
export function onEveryRequest(adapter: AbstractHttpAdapter, listener: (exchange: Exchange) => void): void {
  if (adapter.getType() === 'fastify') {
    adapter.setOnRequestHook((request: FastifyRequest, reply: { readonly raw: ServerResponse }, done: () => void) => {
      listener({ method: request.method, route: () => request.routeOptions?.url ?? NO_ROUTE, response: reply.raw });
      done();
    });
    return;
  }
  adapter.setOnRequestHook((request: ExpressRequest, response: ServerResponse, done: () => void) => {
    listener({ method: request.method, route: () => request.route?.path ?? NO_ROUTE, response });
    done();
  });
}

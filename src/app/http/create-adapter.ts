import type { ServerResponse } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { HttpAdapterName } from '../config/environment.js';
import { pathOf, PROBLEM_JSON, ProblemDetails } from './problem-details.js';

/** Larger bodies are refused with 413. */
export const BODY_LIMIT_BYTES = 100 * 1_024;

/** Longer than the minute for which load balancers keep idle connections: they close them, we never cut one in use. */
export const KEEP_ALIVE_MS = 65_000;

/** The HTTP server by its name, not listening yet. */
export function createAdapter(name: HttpAdapterName): ExpressAdapter | FastifyAdapter {
  if (name === 'express') {
    return new ExpressAdapter();
  }
  return new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A request that still arrives while the service stops is answered like any other: see Drain.
    return503OnClosing: false,
    frameworkErrors: refuseUrl,
  });
}

/** Fastify's router refuses a URL that it cannot decode before anything of Nest sees the request. */
function refuseUrl(
  error: { readonly statusCode?: number },
  request: { readonly url: string },
  reply: { hijack(): unknown; readonly raw: ServerResponse },
): void {
  const status = error.statusCode ?? 400;
  reply.hijack();
  reply.raw
    .writeHead(status, { 'content-type': PROBLEM_JSON, 'x-content-type-options': 'nosniff' })
    .end(JSON.stringify(new ProblemDetails(status, 'The URL cannot be read', pathOf(request.url))));
}

import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { callerOf } from '../../core/calls/caller.js';
import { SessionRuntime } from '../session.runtime.js';
import { refusal } from './session.exception.js';

const SAFE: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses requests that a page of another site makes in the name of somebody who is logged in here: `{ provide: APP_GUARD, useClass: CsrfGuard }`.
 *
 * It goes by what browsers say of a request and pages cannot change: `Sec-Fetch-Site`, and `Origin` from old browsers. Nothing has to be put into forms, and what is no browser
 * is admitted. GET, HEAD and OPTIONS always are: they must change nothing. Resolvers of GraphQL are held to the same, by the method of their request, so a query that is sent by POST is refused
 * as a mutation is. Of messages nothing is refused here: over a WebSocket, a session is found for pages of the application alone.
 *
 * Throws 403, as problem details, with code `cross-site-request`. No round trip.
 */
@Injectable()
export class CsrfGuard implements CanActivate {
  constructor(private readonly runtime: SessionRuntime) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const type = context.getType<string>();
    if (type !== 'http' && type !== 'graphql') return true;
    const caller = callerOf(context, '');
    // A GraphQL context may lead to no request. No session is found then either.
    const { method } = (caller.request ?? {}) as { readonly method?: string };
    if (SAFE.has(method) || this.runtime.origins.admits(caller)) return true;
    throw await refusal(context, 'cross-site-request');
  }
}

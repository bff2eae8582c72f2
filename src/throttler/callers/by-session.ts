import { byIp } from './by-ip.js';
import type { Caller } from '../../core/calls/caller.js';
import { digestOf } from './digest.js';
import type { Tracker } from './tracker.js';

/** Options of {@link bySession}. */
export interface BySessionOptions {
  /** The id of the session that the caller came with. Default: that of `express-session` or `@fastify/session`, when the request's cookies hold it. */
  readonly pick?: (caller: Caller) => string | undefined;
  /** Whose counter it is when there is no session. Default `byIp()`. */
  readonly fallback?: Tracker;
}

/**
 * Goes by the session: `['session', digest]`, never the id itself. Without one, it goes by the fallback.
 *
 * A session that was made for this very request counts as none: who sends no cookie gets a new one each time, and would have
 * a new counter with it.
 */
export function bySession({ pick = sessionOfCookie, fallback = byIp() }: BySessionOptions = {}): Tracker {
  return (caller) => {
    const id = pick(caller);
    return id === undefined || id === '' ? fallback(caller) : ['session', digestOf(id)];
  };
}

/** Where `express-session` and `@fastify/session` have the id. */
interface RequestWithSession {
  readonly session?: { readonly id?: unknown; readonly sessionId?: unknown } | null;
  readonly sessionID?: unknown;
}

function sessionOfCookie({ request, headers }: Caller): string | undefined {
  const { session, sessionID } = (request ?? {}) as RequestWithSession;
  const id = session?.id ?? sessionID ?? session?.sessionId;
  const { cookie } = headers;
  if (typeof id !== 'string' || typeof cookie !== 'string') return undefined;
  return cookie.includes(id) || cookie.includes(encodeURIComponent(id)) ? id : undefined;
}

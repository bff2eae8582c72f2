import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { callerOf } from '../../core/calls/caller.js';
import { ageOfSession } from '../engine/session-age.js';
import { SessionRuntime } from '../session.runtime.js';
import { RequestSessions } from './request-sessions.js';
import { routeRules } from './route-metadata.js';
import { atTheEdge, refusal } from './session.exception.js';

/**
 * Admits who is logged in: `@UseGuards(SessionGuard)`, or as `APP_GUARD`. Handlers find the user as `request.user`, `{ id }`, unless something else is there
 * already; over a WebSocket as `client.data.user`.
 *
 * Refuses others with 401, those whose login was too long ago for `@RecentLogin` with 403, and all with 503 while Redis is away: problem details, with a
 * `code`. Over a WebSocket it is a `WsException` with the same.
 *
 * One round trip for a request, the same as that of `@Session()`; one for each message. `@RecentLogin` takes one more, since only the clock in Redis that the
 * login was noted by can say how long ago that was; who is admitted there has a session that had not ended by then.
 */
@Injectable()
export class SessionGuard implements CanActivate {
  constructor(
    private readonly sessions: RequestSessions,
    private readonly runtime: SessionRuntime,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const session = await atTheEdge(context, () => this.sessions.of(context));
    const { userId, handle } = session;
    if (userId === null || handle === null) throw await refusal(context, 'login-required');
    const { recentLoginMs: withinMs } = routeRules(context);
    if (withinMs !== undefined) {
      const ageMs = await atTheEdge(context, () => ageOfSession(this.runtime, userId, handle));
      if (ageMs === null) throw await refusal(context, 'login-required');
      if (ageMs > withinMs) throw await refusal(context, 'recent-login-required');
    }
    introduce(context, { id: userId });
    return true;
  }
}

/** Where guards put who is asking. */
interface UserBearer {
  user?: unknown;
  data?: { user?: unknown };
}

function introduce(context: ExecutionContext, user: { readonly id: string }): void {
  const caller = callerOf(context, '');
  const bearer = caller.request as UserBearer;
  if (caller.type === 'ws') (bearer.data ??= {}).user ??= user;
  else bearer.user ??= user;
}

import { Injectable, type NestMiddleware } from '@nestjs/common';
import type { AnyRequest } from '../../core/calls/node-request.js';
import { RequestSessions } from './request-sessions.js';
import { toldByMiddleware } from './session.exception.js';

/**
 * Finds the session for middleware that comes after it, as `request.session`: `consumer.apply(SessionMiddleware).forRoutes('*')`. Handlers need it only for
 * that: `@Session()` and `SessionGuard` find the session by themselves, and the request then is read once.
 *
 * It reads and prolongs the session on every route that it is applied to, be the session used there or not; `@PassiveSession()` comes too late.
 * What middleware changes is saved by `@Session()` if the route has that. Elsewhere it calls `save()`: without it, the change of a new session is lost.
 * While Redis is away, the request fails with 503, as problem details: `SessionException`, whose cause is a `RedisUnavailableError`. One round trip.
 */
@Injectable()
export class SessionMiddleware implements NestMiddleware<AnyRequest & { session?: unknown }, unknown> {
  constructor(private readonly sessions: RequestSessions) {}

  use(request: AnyRequest & { session?: unknown }, response: unknown, next: (error?: unknown) => void): void {
    this.sessions.ofMiddleware(request, response).then(
      (session) => {
        request.session ??= session;
        next();
      },
      (error: unknown) => next(toldByMiddleware(response, error)),
    );
  }
}

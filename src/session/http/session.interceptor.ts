import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { catchError, concatMap, from, map, of, throwError, type Observable } from 'rxjs';
import { isSessionsAway } from '../engine/session-scripts.js';
import { SessionEndedError } from '../session.errors.js';
import type { SessionHandle } from '../session.js';
import { handleWith, RequestSessions } from './request-sessions.js';
import { toldAtTheEdge } from './session.exception.js';

/** The work of `@Session()`: finds the session before the handler runs, and saves it afterwards. */
@Injectable()
export class SessionInterceptor implements NestInterceptor {
  constructor(private readonly sessions: RequestSessions) {}

  intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    return this.sessions.of(context).then(
      (session) => this.#handle(session, context, next),
      async (error: unknown) => {
        throw await toldAtTheEdge(context, error);
      },
    );
  }

  #handle(session: SessionHandle, context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return handleWith(session, context, next).pipe(
      catchError((error: unknown) => {
        if (isSessionsAway(error)) return from(this.#refuse(context, error));
        return session.hasChanged
          ? from(this.#saveBeside(session, context)).pipe(concatMap(() => throwError(() => error)))
          : throwError(() => error);
      }),
      concatMap((value: unknown) =>
        session.hasChanged ? from(this.#save(session, context)).pipe(map(() => value)) : of(value),
      ),
    );
  }

  async #save(session: SessionHandle, context: ExecutionContext): Promise<void> {
    try {
      await saveUnlessEnded(session);
    } catch (error) {
      await this.#refuse(context, error);
    }
  }

  /** What the handler failed with says more than what the save may fail with. */
  async #saveBeside(session: SessionHandle, context: ExecutionContext): Promise<void> {
    try {
      await saveUnlessEnded(session);
    } catch {
      this.sessions.giveUp(context);
    }
  }

  /** The client is told that it failed, so nothing of it is to be written later. */
  async #refuse(context: ExecutionContext, error: unknown): Promise<never> {
    this.sessions.giveUp(context);
    throw await toldAtTheEdge(context, error);
  }
}

/** Whoever logs out has the last word: what another request was about to write is of no use to anybody. */
async function saveUnlessEnded(session: SessionHandle): Promise<void> {
  try {
    await session.save();
  } catch (error) {
    if (!(error instanceof SessionEndedError)) throw error;
  }
}

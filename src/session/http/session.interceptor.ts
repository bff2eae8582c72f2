import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { catchError, concatMap, from, map, of, throwError, type Observable } from 'rxjs';
import { SessionEndedError } from '../session.errors.js';
import type { SessionHandle } from '../session.js';
import { handleWith, RequestSessions } from './request-sessions.js';
import { atTheEdge, toldAtTheEdge } from './session.exception.js';

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
    const saved = (): Promise<void> => atTheEdge(context, () => saveUnlessEnded(session));
    return handleWith(session, context, next).pipe(
      catchError((error: unknown) =>
        // What the handler failed with says more than what the save may fail with.
        session.hasChanged
          ? from(saved().catch(() => undefined)).pipe(concatMap(() => throwError(() => error)))
          : throwError(() => error),
      ),
      concatMap((value: unknown) => (session.hasChanged ? from(saved()).pipe(map(() => value)) : of(value))),
    );
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

import { RookeryError } from '../core/errors/rookery-error.js';

/** A call that could never be right: an attribute with a forbidden name, no user, a cookie that no answer can carry. Nothing was sent. */
export class SessionUsageError extends RookeryError {
  readonly code = 'ROOKERY_SESSION_USAGE';
}

/** The session has ended, by a logout or by time, and nothing was written: a session that has ended is not brought back. */
export class SessionEndedError extends RookeryError {
  readonly code = 'ROOKERY_SESSION_ENDED';

  constructor() {
    super('The session has ended; nothing was written.');
  }
}

/** The user has as many sessions as `maxPerUser` admits, and the module's `whenFull` is `'refuse'`. */
export class TooManySessionsError extends RookeryError {
  readonly code = 'ROOKERY_SESSION_TOO_MANY';

  constructor(readonly most: number) {
    super(`The user has ${most} sessions already, which is the most.`, { context: { most } });
  }
}

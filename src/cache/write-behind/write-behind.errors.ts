import { RookeryError } from '../../core/errors/rookery-error.js';

/**
 * The journal holds as many entries as it may: the source takes them more slowly than they come. Nothing was written. Keys that wait already
 * can still be written.
 */
export class WriteBehindFullError extends RookeryError {
  readonly code = 'ROOKERY_WRITE_BEHIND_FULL';

  constructor(journal: string, maxPending: number) {
    super(`The journal '${journal}' is full: ${maxPending} entries are waiting for the source, or are dead letters.`, {
      context: { journal, maxPending },
    });
  }
}

/** The sum of a key would be no safe integer. Nothing was written. */
export class WriteBehindOverflowError extends RookeryError {
  readonly code = 'ROOKERY_WRITE_BEHIND_OVERFLOW';

  constructor(journal: string) {
    super(`A sum in the journal '${journal}' would be no safe integer.`, { context: { journal } });
  }
}

/**
 * The journal holds values of mode `'replace'`, which cannot be summed: the mode was changed before it was empty. Nothing is flushed of a batch
 * with such a value, and nothing is lost. Go back to the old mode until everything is flushed, or give the new mode a journal of another name.
 */
export class WriteBehindModeError extends RookeryError {
  readonly code = 'ROOKERY_WRITE_BEHIND_MODE';

  constructor(journal: string, cause?: unknown) {
    super(
      `The journal '${journal}' holds values of mode 'replace', which mode 'add' cannot sum. Go back to the old mode until the journal is empty, ` +
        'or give the new one another name.',
      { context: { journal }, cause },
    );
  }
}

/** Why a flush was given up. */
export type FlushAbortReason =
  /** It took longer than `flushTimeout`. */
  | 'timeout'
  /** The lease could not be renewed: another process may have taken the batch over. */
  | 'lease-lost'
  /** The application is shutting down, and `drainTimeout` has passed. */
  | 'shutdown';

/** The reason of a flush's `AbortSignal`. The batch is flushed again, under the same id, by this process or by another. */
export class FlushAbortedError extends RookeryError {
  readonly code = 'ROOKERY_WRITE_BEHIND_FLUSH_ABORTED';

  constructor(readonly reason: FlushAbortReason) {
    super(`The flush was given up: ${reason}.`, { context: { reason } });
  }
}

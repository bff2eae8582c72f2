/** What an error may carry besides its message: facts for a log line. Never a key, a token, a session id or a payload. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | undefined>>;

/** What an error is made with, besides its message. */
export interface RookeryErrorOptions {
  readonly context?: ErrorContext;
  readonly cause?: unknown;
}

/**
 * The root of every error that Rookery throws: one `catch` covers them all, and `code` tells them apart across
 * versions and across two copies of the package.
 *
 * `code` is stable: it changes only in a major version. `message` is for people and may change at any time.
 */
export abstract class RookeryError extends Error {
  abstract readonly code: string;
  readonly context: ErrorContext;

  constructor(message: string, { context = {}, cause }: RookeryErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.context = context;
  }
}

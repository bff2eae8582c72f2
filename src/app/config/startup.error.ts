/**
 * The service cannot start, and a person can mend it: the message says what is wrong and what to do, so that it is
 * printed alone, without a stack trace. Never holds a password.
 */
export class StartupError extends Error {
  override readonly name = 'StartupError';

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

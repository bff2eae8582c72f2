import { RookeryError } from '../errors/rookery-error.js';

/** A value that is not a {@link Duration}. The message shows the value and what a duration looks like. */
export class InvalidDurationError extends RookeryError {
  readonly code = 'ROOKERY_INVALID_DURATION';
}

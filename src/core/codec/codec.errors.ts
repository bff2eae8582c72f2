import { RookeryError } from '../errors/rookery-error.js';

/** A value that the codec cannot keep. The message says what kind of thing it is and where, never what it holds. */
export class EncodeError extends RookeryError {
  readonly code = 'ROOKERY_ENCODE';
}

/** Bytes that the codec did not write, or that were damaged since. Carries no part of them. */
export class DecodeError extends RookeryError {
  readonly code = 'ROOKERY_DECODE';
}

import { RookeryError } from '../errors/rookery-error.js';

/**
 * A value that cannot be part of a key, because two different ones could end up under the same key.
 *
 * The message and `context.path` say where it stands and what kind of thing it is, never what it holds.
 */
export class KeyEncodingError extends RookeryError {
  readonly code = 'ROOKERY_KEY_ENCODING';

  constructor(path: string, reason: string, fix: string) {
    super(`${path} cannot be part of a key: ${reason}. ${fix}`, { context: { path } });
  }
}

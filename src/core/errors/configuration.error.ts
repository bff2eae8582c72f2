import { RookeryError } from './rookery-error.js';

/** Options that cannot work. Thrown while the application boots; the message names the option and the fix. */
export class ConfigurationError extends RookeryError {
  readonly code = 'ROOKERY_CONFIGURATION';
}

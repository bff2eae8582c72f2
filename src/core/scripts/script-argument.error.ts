import { RookeryError } from '../errors/rookery-error.js';

/**
 * A script was called with a value that its header does not admit. Thrown before anything is sent. The message names
 * the script and the argument, never the value.
 */
export class ScriptArgumentError extends RookeryError {
  readonly code = 'ROOKERY_SCRIPT_ARGUMENT';

  constructor(script: string, argument: string, expected: string) {
    super(`Script ${script}: "${argument}" must be ${expected}.`, { context: { script, argument } });
  }
}

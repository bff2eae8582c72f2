import { RookeryError } from '../errors/rookery-error.js';

/**
 * A script replied something that its header does not declare. The script ran: its effects stand. The message names the
 * script, the place in the reply and the two kinds, never the value.
 */
export class ScriptReplyError extends RookeryError {
  readonly code = 'ROOKERY_SCRIPT_REPLY';

  constructor(script: string, place: string, expected: string, received: string) {
    super(`Script ${script}: ${place} is ${received} where the header declares ${expected}.`, {
      context: { script, place, expected, received },
    });
  }
}

import { Logger } from '@nestjs/common';

const logger = new Logger('RedisModule');

/**
 * Calls what the application registered. When it throws, that is logged, and others get their turn: in the event handlers that
 * these calls come from, an error would end the process.
 */
export function callSafely(what: string, call: () => void): void {
  try {
    call();
  } catch (error) {
    logger.error(`${what} threw.`, error instanceof Error ? error.stack : undefined);
  }
}

import { RookeryError } from 'rookery';
import { loadConfig } from '../config/app-config.js';
import { StartupError } from '../config/startup.error.js';
import { type RunningService, startService } from './start-service.js';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Longer than any request may take. What still runs then is cut off. */
const STOP_DEADLINE_MS = 10_000;

/**
 * The whole life of the process: starts the service, says what runs, and on SIGTERM or SIGINT stops it without losing a
 * request. Exit code 0 after a stop in order, 1 when the service could not start or could not stop in time. A second
 * signal ends it at once.
 */
export async function runService(): Promise<void> {
  // Before the start, which takes seconds: a signal during it must not leave half a service behind.
  const asked = untilAskedToStop();
  let service: RunningService;
  try {
    service = await startService(loadConfig());
  } catch (error) {
    fail(explain(error));
  }
  process.stdout.write(`${service.summary.join('\n')}\n`);
  await asked;
  setTimeout(() => fail(`Requests were still running after ${STOP_DEADLINE_MS} ms.`), STOP_DEADLINE_MS).unref();
  try {
    await service.stop();
  } catch (error) {
    fail(explain(error));
  }
  process.exit(0);
}

function untilAskedToStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) {
      process.once(signal, () => {
        resolve();
        process.once(signal, () => fail('Stopped at once.'));
      });
    }
  });
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** What a person can mend is told in words; anything else is a fault of ours, and its stack is wanted. */
function explain(error: unknown): string {
  if (error instanceof StartupError || error instanceof RookeryError) {
    return error.message;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

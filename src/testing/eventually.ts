import { setTimeout as sleep } from 'node:timers/promises';
import { durationMs, type Duration } from '../core/time/duration.js';
import { RookeryError } from '../core/errors/rookery-error.js';

/** What was waited for did not happen, and the assertion threw nothing that could be shown instead. */
export class EventuallyError extends RookeryError {
  readonly code = 'ROOKERY_EVENTUALLY';
}

/** How patient {@link eventually} is. */
export interface EventuallyOptions {
  /** How long to keep trying. Default: '5s'. */
  readonly within?: Duration;
  /** The pause between two tries. Default: '20ms'. */
  readonly every?: Duration;
}

/**
 * Resolves with the assertion's value as soon as it passes, that is, neither throws nor rejects. At least one try is made,
 * and one try runs at a time.
 *
 * @throws the last error of the assertion, its message followed by how long and how often it was tried, so that a failed
 * `expect` shows its difference and its line. An assertion that never settles is given up at the end of `within`.
 */
export async function eventually<T>(
  assertion: () => T | PromiseLike<T>,
  { within = '5s', every = '20ms' }: EventuallyOptions = {},
): Promise<Awaited<T>> {
  const withinMs = durationMs(within);
  const everyMs = durationMs(every);
  const started = performance.now();
  const leftMs = (): number => Math.max(0, started + withinMs - performance.now());

  let failure: { readonly error: unknown } | undefined;
  for (let tries = 1; ; tries++) {
    const outcome = await settle(assertion, leftMs());
    if (outcome.state === 'passed') return outcome.value;
    if (outcome.state === 'failed') failure = outcome;
    if (outcome.state === 'pending' || leftMs() <= everyMs) {
      const hung = outcome.state === 'pending' ? '; the last try has not settled' : '';
      throw explain(failure, `tried ${times(tries)} in ${Math.round(performance.now() - started)} ms${hung}`);
    }
    await sleep(everyMs);
  }
}

type Outcome<T> =
  | { readonly state: 'passed'; readonly value: Awaited<T> }
  | { readonly state: 'failed'; readonly error: unknown }
  | { readonly state: 'pending' };

async function settle<T>(assertion: () => T | PromiseLike<T>, timeoutMs: number): Promise<Outcome<T>> {
  const attempt = (async (): Promise<Outcome<T>> => {
    try {
      return { state: 'passed', value: await assertion() };
    } catch (error) {
      return { state: 'failed', error };
    }
  })();
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<Outcome<T>>((resolve) => {
    timer = setTimeout(() => resolve({ state: 'pending' }), timeoutMs);
  });
  return Promise.race([attempt, timeout]).finally(() => clearTimeout(timer));
}

/** The error itself, not a new one around it: test runners find the failed line and the difference in it. */
function explain(failure: { readonly error: unknown } | undefined, effort: string): unknown {
  if (failure === undefined) return new EventuallyError(`Nothing came of it: ${effort}.`);
  const { error } = failure;
  if (!(error instanceof Error) || Object.isFrozen(error)) {
    return new EventuallyError(`It kept failing (${effort}).`, { cause: error });
  }
  const message = `${error.message}\n(${effort})`;
  const stack = error.stack?.replace(error.message, () => message);
  error.message = message;
  if (stack !== undefined) error.stack = stack;
  return error;
}

function times(count: number): string {
  return ['never', 'once', 'twice'][count] ?? `${count} times`;
}

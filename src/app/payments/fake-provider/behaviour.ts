const FAILURES = ['none', 'decline', 'error', 'hang', 'drop'] as const;

/**
 * What goes wrong with a charge:
 *
 * - `decline`: it is not charged, and answered with 402;
 * - `error`: it is not charged, and answered with 500;
 * - `hang`: it is charged, and never answered;
 * - `drop`: it is charged, and the connection is cut instead of an answer.
 */
type Failure = (typeof FAILURES)[number];

/** How the next charges go. */
export interface Behaviour {
  /** How long the answer takes. What is decided is decided before. */
  readonly delayMs: number;
  readonly failure: Failure;
  /** For so many requests; undefined: until told otherwise. */
  readonly times?: number | undefined;
}

const ORDINARY: Behaviour = { delayMs: 0, failure: 'none' };
const LONGEST_DELAY_MS = 600_000;

/** How charges go, one after the other. */
export class Behaviours {
  #now = ORDINARY;
  #left = Infinity;

  set(behaviour: Behaviour): void {
    this.#now = behaviour;
    this.#left = behaviour.times ?? Infinity;
  }

  /** How this one goes. */
  next(): Behaviour {
    if (this.#left <= 0) this.set(ORDINARY);
    this.#left -= 1;
    return this.#now;
  }
}

/** What a request says of it, or undefined when that cannot be used. What it leaves out is ordinary. */
export function behaviourIn(body: unknown): Behaviour | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { delayMs = 0, failure = 'none', times } = body as Readonly<Record<string, unknown>>;
  if (!isCount(delayMs, LONGEST_DELAY_MS) || !FAILURES.includes(failure as Failure)) return undefined;
  if (times !== undefined && !isCount(times, Number.MAX_SAFE_INTEGER)) return undefined;
  return { delayMs, failure: failure as Failure, times };
}

function isCount(value: unknown, most: number): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most;
}

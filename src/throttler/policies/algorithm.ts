import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { durationOption } from '../../core/time/duration-option.js';
import type { Limit, RoutePolicy } from './policy.options.js';
import { parseRate } from './rate.js';

/** What the script calls the kinds of policies. */
export const KIND = { gcra: 1, window: 2, fixed: 3, counter: 4, bucket: 5, log: 6, concurrency: 7 } as const;
type Kind = (typeof KIND)[keyof typeof KIND];

/** How a policy counts, in the terms of the script. */
export interface Algorithm {
  readonly kind: Kind;
  readonly limit: Limit;
  /** See lua/throttler/consume.lua. */
  readonly a: number;
  readonly b: number;
  /** In seconds, rounded up: in how long a time the limit is meant. Undefined for concurrency. */
  readonly windowSeconds: ((limit: number) => number) | undefined;
  /** Tells keys apart whose contents are not to be confused. */
  readonly shape: string;
  /** The greatest limit that can be counted exactly. */
  readonly mostUnits: number;
}

const MOST_UNITS = 1_000_000_000;
const LONGEST_WINDOW_MS = 366 * 86_400_000;
const WINDOWS: ReadonlyMap<string, Kind> = new Map([
  ['sliding-window', KIND.window],
  ['fixed-window', KIND.fixed],
  ['sliding-counter', KIND.counter],
  ['sliding-log', KIND.log],
]);

/** What says how a policy counts, and what else is said beside it. */
const TERMS = {
  window: ['limit', 'algorithm'],
  rate: ['burst'],
  refill: ['capacity'],
  concurrent: ['lease'],
} as const;
type Term = keyof typeof TERMS;

/** Reads off the options how a policy counts. Throws `ConfigurationError` naming the option and the fix. */
export function algorithmOf(options: RoutePolicy, at: (option: string) => string): Algorithm {
  const said = new Set(Object.entries(options).flatMap(([option, value]) => (value === undefined ? [] : [option])));
  const [term, another] = (Object.keys(TERMS) as Term[]).filter((each) => said.has(each));
  if (term === undefined) {
    throw new ConfigurationError(
      `${at('the policy')} must say what it limits: { limit, window }, { rate, burst }, { capacity, refill } or { concurrent }.`,
    );
  }
  if (another !== undefined) {
    throw new ConfigurationError(
      `${at('the policy')} must say one thing: it has '${term}' and '${another}'. Make two policies of it.`,
    );
  }
  const elsewhere = Object.entries(TERMS).flatMap(([each, words]) => (each === term ? [] : words));
  const stray = elsewhere.find((word) => said.has(word));
  if (stray !== undefined) throw new ConfigurationError(`${at(stray)} has no meaning beside '${term}': leave it out.`);
  return READERS[term](options as never, at);
}

type Of<Key extends string> = Extract<RoutePolicy, Readonly<Record<Key, unknown>>>;
type At = (option: string) => string;

function windowOf({ limit, window, algorithm = 'sliding-window' }: Of<'window'>, at: At): Algorithm {
  const ms = durationOption(window, at('window'));
  if (ms > LONGEST_WINDOW_MS) throw new ConfigurationError(`${at('window')} must be no longer than '366d'.`);
  const kind = WINDOWS.get(algorithm);
  if (kind === undefined) {
    throw new ConfigurationError(`${at('algorithm')} must be one of ${[...WINDOWS.keys()].join(', ')}.`);
  }
  // Beyond it, the product of count and time would not be exact.
  const mostUnits = kind === KIND.counter ? Math.min(MOST_UNITS, Math.floor(Number.MAX_SAFE_INTEGER / ms)) : MOST_UNITS;
  return checked(
    { kind, limit, a: ms * 1_000, b: 0, windowSeconds: () => Math.ceil(ms / 1_000), mostUnits },
    at('limit'),
  );
}

function gcraOf({ rate, burst }: Of<'rate'>, at: At): Algorithm {
  const { units, periodUs } = parseRate(rate, at('rate'));
  const divisor = greatestCommonDivisor(periodUs, units);
  const [a, b] = [periodUs / divisor, units / divisor];
  const mostUnits = Math.min(MOST_UNITS, Math.floor(Number.MAX_SAFE_INTEGER / 4 / a));
  const windowSeconds = (limit: number): number => Math.ceil((limit * a) / b / 1_000_000);
  return checked({ kind: KIND.gcra, limit: burst, a, b, windowSeconds, mostUnits }, at('burst'));
}

function bucketOf({ capacity, refill }: Of<'refill'>, at: At): Algorithm {
  const { units, periodUs } = parseRate(refill, at('refill'));
  const windowSeconds = (limit: number): number => Math.ceil((Math.ceil(limit / units) * periodUs) / 1_000_000);
  // Beyond it, the time until the bucket is full again would not be exact, and in the end too long for Redis.
  const mostUnits = Math.min(MOST_UNITS, Math.floor(Number.MAX_SAFE_INTEGER / 4 / periodUs) * units);
  return checked(
    { kind: KIND.bucket, limit: capacity, a: periodUs, b: units, windowSeconds, mostUnits },
    at('capacity'),
  );
}

function concurrencyOf({ concurrent, lease = '30s' }: Of<'concurrent'>, at: At): Algorithm {
  const ms = durationOption(lease, at('lease'));
  if (ms < 1_000 || ms > 3_600_000) throw new ConfigurationError(`${at('lease')} must be from '1s' to '1h'.`);
  return checked(
    { kind: KIND.concurrency, limit: concurrent, a: ms * 1_000, b: 0, windowSeconds: undefined, mostUnits: MOST_UNITS },
    at('concurrent'),
  );
}

const READERS: { readonly [Each in Term]: (options: Of<Each>, at: At) => Algorithm } = {
  window: windowOf,
  rate: gcraOf,
  refill: bucketOf,
  concurrent: concurrencyOf,
};

function checked(algorithm: Omit<Algorithm, 'shape'>, option: string): Algorithm {
  const { kind, limit, a, mostUnits } = algorithm;
  if (mostUnits < 1) throw new ConfigurationError(`${option} cannot be counted exactly over so long a time.`);
  if (typeof limit !== 'function') {
    if (!Number.isInteger(limit) || limit < 1 || limit > mostUnits) {
      throw new ConfigurationError(
        `${option} must be a whole number from 1 to ${mostUnits.toLocaleString('en')}; it is ${String(limit)}.`,
      );
    }
  }
  // What GCRA, a log and slots keep are points in time, which mean the same under other settings.
  const isOfTime = kind === KIND.gcra || kind === KIND.log || kind === KIND.concurrency;
  return { ...algorithm, shape: `${'gsfcbln'.charAt(kind - 1)}${isOfTime ? '' : (a / 1_000).toString(36)}` };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

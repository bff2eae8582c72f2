import { InvalidDurationError } from './duration.errors.js';

/** The units that a {@link Duration} may carry: milliseconds, seconds, minutes, hours and days of 24 hours. */
type DurationUnit = 'ms' | 's' | 'm' | 'h' | 'd';

/**
 * A length of time with its unit: `'250ms' | '30s' | '15m' | '24h' | '7d'`.
 *
 * A bare number does not compile, because it does not say whether it counts seconds or milliseconds.
 */
export type Duration = `${number}${DurationUnit}`;

const UNIT_MS: Readonly<Record<DurationUnit, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Bounded digits: no safe integer needs more, and an endless string of digits is refused before any arithmetic. */
const DURATION = /^(?<whole>\d{1,16})(?:\.(?<fraction>\d{1,15}))?(?<unit>ms|s|m|h|d)$/;

/**
 * The whole number of milliseconds in a duration, exactly: `'1.005s'` is 1005.
 *
 * Range: 0 to `Number.MAX_SAFE_INTEGER` milliseconds. Zero is a duration; whether zero makes sense is the caller's
 * question. A fraction is accepted when it comes to whole milliseconds.
 *
 * @throws {InvalidDurationError} for anything else: a number without a unit, a sign, an exponent, hexadecimal, spaces, an
 * unknown unit, half a millisecond, a value out of range.
 */
export function durationMs(duration: Duration): number {
  // Whoever calls from JavaScript, or passes a value read from a file, has had no compiler to stop them.
  const groups = typeof duration === 'string' ? DURATION.exec(duration)?.groups : undefined;
  if (groups === undefined) throw invalid(duration, 'is not a duration');

  const unitMs = UNIT_MS[groups['unit'] as DurationUnit];
  const whole = groups['whole'] as string;
  const fraction = groups['fraction'];
  const ms = fraction === undefined ? Number(whole) * unitMs : scale(whole, fraction, unitMs);

  if (ms === undefined) throw invalid(duration, 'is not a whole number of milliseconds');
  if (!Number.isSafeInteger(ms)) throw invalid(duration, 'is longer than Number.MAX_SAFE_INTEGER milliseconds');
  return ms;
}

/** In integers, because 1.005 * 1000 is 1004.9999999999999 in floating point. */
function scale(whole: string, fraction: string, unitMs: number): number | undefined {
  const divisor = 10n ** BigInt(fraction.length);
  const scaled = BigInt(whole + fraction) * BigInt(unitMs);
  return scaled % divisor === 0n ? Number(scaled / divisor) : undefined;
}

function invalid(value: unknown, why: string): InvalidDurationError {
  return new InvalidDurationError(
    `${describe(value)} ${why}. Write a number with its unit, such as '250ms', '30s', '15m', '24h' or '7d'.`,
  );
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  if (typeof value === 'number' || typeof value === 'bigint') return `The ${typeof value} ${value}`;
  return value === null ? 'null' : `A value of type ${typeof value}`;
}

import { ConfigurationError } from '../errors/configuration.error.js';
import { LONGEST_TIMER_MS } from './clock.js';
import { durationMs, type Duration } from './duration.js';

/** The milliseconds, at least 1, of an option that says how long something lasts. Throws `ConfigurationError` that begins with `option`. */
export function durationOption(duration: Duration, option: string): number {
  return checked(duration, option, Number.MAX_SAFE_INTEGER, '');
}

/** The same for an option that one of Node's timers is to keep: 24 days at most, since a longer timer fires at once. */
export function timerOption(duration: Duration, option: string): number {
  return checked(duration, option, LONGEST_TIMER_MS, ` and no longer than '24d'`);
}

function checked(duration: Duration, option: string, mostMs: number, limit: string): number {
  const ms = parse(duration);
  if (ms !== null && ms >= 1 && ms <= mostMs) return ms;
  throw new ConfigurationError(
    `${option} must be a duration longer than nothing${limit}, with its unit: '250ms', '30s', '15m'.`,
  );
}

function parse(duration: Duration): number | null {
  try {
    return durationMs(duration);
  } catch {
    return null;
  }
}

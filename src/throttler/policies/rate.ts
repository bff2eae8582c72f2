import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { durationMs, type Duration } from '../../core/time/duration.js';

/** So many units in so many microseconds. */
export interface ParsedRate {
  readonly units: number;
  readonly periodUs: number;
}

const RATE = /^(?<units>\d+)\/(?<period>.+)$/;
const ONLY_UNIT = /^[smhd]$/;
const LONGEST_MS = 366 * 86_400_000;

/** Reads `'10/s'` or `'100/15m'`. Throws `ConfigurationError` that begins with `option`. */
export function parseRate(rate: string, option: string): ParsedRate {
  const { units = '', period = '' } = (typeof rate === 'string' ? RATE.exec(rate)?.groups : undefined) ?? {};
  const periodMs = parsePeriod(period);
  const count = Number(units);
  if (periodMs !== null && count >= 1 && count <= 1_000_000_000) return { units: count, periodUs: periodMs * 1_000 };
  throw new ConfigurationError(`${option} must be so many units in so long a time, such as '10/s' or '100/15m'.`);
}

function parsePeriod(period: string): number | null {
  try {
    const ms = durationMs((ONLY_UNIT.test(period) ? `1${period}` : period) as Duration);
    return ms >= 1 && ms <= LONGEST_MS ? ms : null;
  } catch {
    return null;
  }
}

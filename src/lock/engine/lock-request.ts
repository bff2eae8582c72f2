import { durationMs, type Duration } from '../../core/time/duration.js';
import { LONGEST_TIMER_MS } from '../../core/time/clock.js';
import type { LockConfig } from '../lock-config.js';
import { LockUsageError } from '../lock.errors.js';
import type { LockOptions } from '../lock.options.js';
import { MOST_PERMITS, type Extent } from './claims.js';
import { SHORTEST_TTL_MS } from './safety.js';

/** How a lock is asked for, checked. */
export class LockRequest {
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly extent: Extent;
  /** 0: it is never prolonged by itself. */
  readonly maxHoldMs: number;
  readonly atLeastMs: number;
  readonly signal: AbortSignal | undefined;

  /** @throws {LockUsageError} for options that could never be right */
  constructor(options: LockOptions, defaults: LockConfig) {
    const { ttl, wait, maxHold, atLeast, autoExtend = true } = options;
    this.ttlMs = ttl === undefined ? defaults.ttlMs : timeOf(ttl, 'ttl', SHORTEST_TTL_MS);
    this.waitMs = wait === undefined ? defaults.waitMs : timeOf(wait, 'wait', 0);
    this.atLeastMs = atLeast === undefined ? 0 : timeOf(atLeast, 'atLeast', 0);
    const maxHoldMs = maxHold === undefined ? defaults.maxHoldMs : timeOf(maxHold, 'maxHold', 1);
    this.maxHoldMs = autoExtend ? maxHoldMs : 0;
    this.extent = extentOf(options);
    this.signal = options.signal;
  }
}

function extentOf({ mode = 'write', limit, permits = 1 }: LockOptions): Extent {
  if (limit === undefined) {
    if (permits !== 1) throw new LockUsageError('permits are taken of a limit: set limit too.');
    if (mode === 'write') return 'all';
    if (mode === 'read') return { permits: 1, limit: MOST_PERMITS };
    throw new LockUsageError(`mode is 'read' or 'write', not ${describe(mode)}.`);
  }
  if (mode !== 'write') throw new LockUsageError('A lock with a limit has no readers: leave mode out.');
  checkCount('limit', limit, MOST_PERMITS);
  checkCount('permits', permits, limit);
  return { permits, limit };
}

function checkCount(option: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new LockUsageError(`${option} must be a whole number from 1 to ${most}; it is ${describe(value)}.`);
}

/** @throws {LockUsageError} that names the option and what it may be */
export function timeOf(duration: Duration, option: string, leastMs: number): number {
  const ms = parse(duration);
  if (ms !== null && ms >= leastMs && ms <= LONGEST_TIMER_MS) return ms;
  throw new LockUsageError(
    `${option} must be a duration from '${leastMs}ms' to '24d', with its unit, such as '500ms' or '30s'; it is ${describe(duration)}.`,
  );
}

function parse(duration: Duration): number | null {
  try {
    return durationMs(duration);
  } catch {
    return null;
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`;
  return typeof value === 'number' ? String(value) : `of type ${typeof value}`;
}

import { ConfigurationError } from '../../core/errors/configuration.error.js';
import type { Duration } from '../../core/time/duration.js';
import { timerOption } from '../../core/time/duration-option.js';
import type { WriteBehindSettings } from './define-write-behind.js';
import type { Flush, WriteBehindOptions } from './write-behind.options.js';
import type { WriteBehindKey } from './write-behind-key.js';

/** A script handles a batch in one go: more would hold the server up, and not fit the stack of Lua. */
const MOST_PER_BATCH = 2_000;

/** A journal's options with every default filled in. */
export interface WriteBehindConfig<Value, Key extends WriteBehindKey> {
  readonly name: string;
  readonly mode: 'add' | 'replace';
  readonly flush: Flush<Value, Key>;
  readonly intervalMs: number;
  readonly batchSize: number;
  readonly maxPending: number;
  readonly maxAttempts: number;
  readonly flushTimeoutMs: number;
  readonly leaseMs: number;
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
  readonly drainTimeoutMs: number;
  readonly idWindowMs: number;
  readonly deadlineMs: number | undefined;
}

/** Fills defaults in and checks the result. Throws `ConfigurationError` naming the option. */
export function resolveWriteBehindConfig<Value, Key extends WriteBehindKey>(
  { name, mode }: WriteBehindSettings<Value>,
  options: WriteBehindOptions<Value, Key>,
): WriteBehindConfig<Value, Key> {
  const label = (option: string): string => `CacheModule.forWriteBehind: ${option} of '${name}'`;
  const ms = (option: string, duration: Duration): number => timerOption(duration, label(option));
  const count = (option: string, given: number, most: number): number => {
    if (Number.isSafeInteger(given) && given >= 1 && given <= most) return given;
    throw new ConfigurationError(`${label(option)} must be a whole number from 1 to ${most}; it is ${given}.`);
  };
  if (name === '') throw new ConfigurationError('defineWriteBehind: the name must not be empty.');
  if (mode !== 'add' && mode !== 'replace') {
    throw new ConfigurationError(`defineWriteBehind: the mode of '${name}' must be 'add' or 'replace'.`);
  }
  if (typeof options.flush !== 'function') throw new ConfigurationError(`${label('flush')} must be a function.`);
  return {
    name,
    mode,
    flush: options.flush,
    intervalMs: ms('interval', options.interval ?? '1s'),
    batchSize: count('batchSize', options.batchSize ?? 500, MOST_PER_BATCH),
    maxPending: count('maxPending', options.maxPending ?? 100_000, Number.MAX_SAFE_INTEGER),
    maxAttempts: count('maxAttempts', options.maxAttempts ?? 10, Number.MAX_SAFE_INTEGER),
    flushTimeoutMs: ms('flushTimeout', options.flushTimeout ?? '30s'),
    leaseMs: ms('lease', options.lease ?? '15s'),
    retryDelayMs: ms('retryDelay', options.retryDelay ?? '1s'),
    maxRetryDelayMs: ms('maxRetryDelay', options.maxRetryDelay ?? '1m'),
    drainTimeoutMs: ms('drainTimeout', options.drainTimeout ?? '10s'),
    idWindowMs: ms('idWindow', options.idWindow ?? '10m'),
    deadlineMs: options.redisDeadline === undefined ? undefined : ms('redisDeadline', options.redisDeadline),
  };
}

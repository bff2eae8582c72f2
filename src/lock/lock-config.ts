import { ConfigurationError } from '../core/errors/configuration.error.js';
import { timerOption } from '../core/time/duration-option.js';
import { LONGEST_TIMER_MS } from '../core/time/clock.js';
import { durationMs, type Duration } from '../core/time/duration.js';
import type { LockModuleOptions } from './lock.options.js';
import { SHORTEST_TTL_MS } from './engine/safety.js';

/** The module's options, checked and with their defaults. Times are in milliseconds. */
export interface LockConfig {
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly maxHoldMs: number;
  readonly deadlineMs: number;
  readonly drainMs: number;
  readonly replicas: number;
  readonly connection: string | undefined;
  readonly quorum: { readonly connections: readonly string[]; readonly nodeDeadlineMs: number } | null;
}

/** @throws {ConfigurationError} that names the option */
export function resolveLockConfig(options: LockModuleOptions): LockConfig {
  const { connection, quorum, replicas = 0 } = options;
  const ttlMs = timerOption(options.ttl ?? '30s', 'LockModule: ttl');
  if (ttlMs < SHORTEST_TTL_MS)
    throw new ConfigurationError(`LockModule: ttl must be '${SHORTEST_TTL_MS}ms' or longer.`);
  if (!Number.isSafeInteger(replicas) || replicas < 0)
    throw new ConfigurationError(`LockModule: replicas must be a whole number from 0 on; it is ${String(replicas)}.`);
  if (quorum !== undefined && replicas > 0)
    throw new ConfigurationError(
      'LockModule: replicas are for one primary; a quorum has none. Leave one of the two out.',
    );
  if (quorum !== undefined && connection !== undefined)
    throw new ConfigurationError('LockModule: a quorum names its connections itself. Leave connection out.');
  return {
    ttlMs,
    waitMs: maybeNothing(options.wait ?? '10s', 'LockModule: wait'),
    maxHoldMs: timerOption(options.maxHold ?? '15m', 'LockModule: maxHold'),
    deadlineMs: timerOption(options.redisDeadline ?? '1s', 'LockModule: redisDeadline'),
    drainMs: maybeNothing(options.drainTimeout ?? '5s', 'LockModule: drainTimeout'),
    replicas,
    connection,
    quorum: quorum === undefined ? null : quorumOf(quorum),
  };
}

function quorumOf({ connections, nodeDeadline = '200ms' }: NonNullable<LockModuleOptions['quorum']>) {
  if (connections.length === 0 || new Set(connections).size !== connections.length)
    throw new ConfigurationError('LockModule: quorum.connections must name connections, each once; 3 or 5, say.');
  return { connections, nodeDeadlineMs: timerOption(nodeDeadline, 'LockModule: quorum.nodeDeadline') };
}

function maybeNothing(duration: Duration, option: string): number {
  try {
    const ms = durationMs(duration);
    if (ms <= LONGEST_TIMER_MS) return ms;
  } catch {
    // The message below says what it has to be.
  }
  throw new ConfigurationError(`${option} must be a duration of '24d' at most, with its unit: '0ms', '500ms', '10s'.`);
}

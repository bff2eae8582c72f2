import type { Duration } from '../core/time/duration.js';

/** How a lock is taken. */
export interface LockOptions {
  /** The lease: when its holder dies, others have the lock after that time. It is prolonged while the holder lives. `'10ms'` to `'24d'`. Default: the module's, `'30s'`. */
  readonly ttl?: Duration;
  /** How long to queue for it, first come, first served. `'0ms'`: not at all. Default: the module's, `'10s'`. */
  readonly wait?: Duration;
  /** Takes the caller out of the queue, who is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** `'write'`: alone. `'read'`: together with other readers. Whoever waits goes first, so readers do not starve a writer. Default `'write'`. */
  readonly mode?: 'read' | 'write';
  /** Makes a semaphore of it: so many permits are out at most. Everybody has to say the same. */
  readonly limit?: number;
  /** How many of the `limit` are taken. Default 1. */
  readonly permits?: number;
  /** Whether the lease is prolonged every third of the TTL, up to `maxHold`. Default true. */
  readonly autoExtend?: boolean;
  /** After that time the lease is not prolonged any more. Default: the module's, `'15m'`. */
  readonly maxHold?: Duration;
  /** When it is released sooner, nobody else has it before that time: for jobs that all processes start by their own clocks. Default: it is free at once. */
  readonly atLeast?: Duration;
}

/** How a lock is taken around a function. */
export interface UsingOptions extends LockOptions {
  /** Whether what the function calls, and waits for, may enter the same lock again without waiting. Default false. */
  readonly reentrant?: boolean;
}

/** Locks on several servers that know nothing of each other: a majority has to agree. */
export interface QuorumOptions {
  /** Names of connections of `RedisModule`, each to a server of its own; 3 or 5, say. */
  readonly connections: readonly string[];
  /** How long one of the servers is waited for. Much less than the TTL. Default `'200ms'`. */
  readonly nodeDeadline?: Duration;
}

/** Options of `LockModule.forRoot`. */
export interface LockModuleOptions {
  /** Default of {@link LockOptions.ttl}: `'30s'`. */
  readonly ttl?: Duration;
  /** Default of {@link LockOptions.wait}: `'10s'`. */
  readonly wait?: Duration;
  /** Default of {@link LockOptions.maxHold}: `'15m'`. */
  readonly maxHold?: Duration;
  /** How long one command may take. Default `'1s'`. */
  readonly redisDeadline?: Duration;
  /** Name of the Redis connection. Default: the default one. */
  readonly connection?: string;
  /** Several independent servers instead of `connection`. */
  readonly quorum?: QuorumOptions;
  /** So many replicas must have a grant before it counts (`WAIT`). For one primary, with or without Sentinels. Default 0. */
  readonly replicas?: number;
  /** How long a shutdown waits for the functions that hold locks by `using` or `@Lock`. Default `'5s'`. */
  readonly drainTimeout?: Duration;
}

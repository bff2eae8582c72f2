import type { RedisConnectionOptions } from '../../../src/core/redis/config/redis.options.js';
import type { Duration } from '../../../src/core/time/duration.js';
import type { Standstill } from '../standstills.js';
import type { Change, Read } from './history.js';

/** One process's cache. */
export interface OpenSettings {
  readonly redis: RedisConnectionOptions;
  readonly prefix: string;
  /** Where the source of truth is: a Redis of its own, that no test disturbs. */
  readonly sourceUrl: string;
  readonly memory: boolean;
  readonly lease: Duration;
  readonly redisDeadline: Duration;
}

/** What a loader of a stampede brings, and how its entry is tagged. */
export type StampedeKind = 'value' | 'null' | 'static tag' | 'derived tag' | 'batch';

/** Many callers of one key, all at once. */
export interface StampedeSettings {
  readonly key: string;
  readonly kind: StampedeKind;
  readonly callers: number;
  readonly loadMs: number;
  /** When they start, on the clock that all processes share. */
  readonly atUs: number;
  /** The loader fails. */
  readonly fails?: boolean;
  /** The loader says that it runs, and never ends. */
  readonly hangs?: boolean;
}

/** What came of it. */
export interface StampedeResult {
  /** Each different value that callers were given, as JSON, and how many were given it; errors by their name. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly slowestMs: number;
}

/** Random reads and changes, the same for the same seed. */
export interface WorkloadSettings {
  readonly seed: number;
  /** Which process this is, of how many. */
  readonly process: number;
  readonly processes: number;
  readonly workers: number;
  readonly operations: number;
}

/** All that was seen. */
export interface WorkloadResult {
  readonly reads: readonly Read[];
  readonly changes: readonly Change[];
  readonly operations: number;
  /** Loads that were made to fail, as callers saw it. */
  readonly failures: number;
  /** When the process did not run. */
  readonly standstills: readonly Standstill[];
  /** What should not have happened. */
  readonly unexpected: readonly string[];
  readonly counters: Readonly<Record<string, number>>;
}

/** What a child can be told to do, with what it is given and what it answers. */
export type CacheJobs = {
  readonly open: { readonly given: OpenSettings; readonly answer: null };
  readonly stampede: { readonly given: StampedeSettings; readonly answer: StampedeResult };
  readonly workload: { readonly given: WorkloadSettings; readonly answer: WorkloadResult };
  /** Reads every key of the workload once. */
  readonly readAll: { readonly given: WorkloadSettings; readonly answer: readonly Read[] };
  readonly invalidateTag: { readonly given: string; readonly answer: boolean };
  readonly close: { readonly given: null; readonly answer: null };
};

/** A loader that was told to hang has begun. */
export const HANGS = 'hangs';

import type { RedisConnectionOptions } from '../../../src/core/redis/config/redis.options.js';
import type { Claim, Wish } from './claims.js';

/** Who makes the locks: the library, or the recipe that people copy: SET NX PX, polled, and a DEL that does not look whose it is. */
export type LockMaker = 'rookery' | 'recipe';

/** The locks of one process. */
export interface OpenSettings {
  /** What claims say whose they are. */
  readonly process: string;
  readonly redis: RedisConnectionOptions;
  readonly prefix: string;
  readonly by: LockMaker;
  readonly redisDeadlineMs: number;
}

/** Work at random under locks, with writes to the sink of the parent, until it is told to stop. */
export interface WorkSettings {
  readonly seed: number;
  readonly sinkPort: number;
  /** Each has one worker. */
  readonly resources: readonly string[];
  readonly ttlMs: readonly [least: number, most: number];
  readonly holdMs: readonly [least: number, most: number];
}

/** What the workers of one process saw. */
export interface WorkReport {
  /** Locks whose loss was watched. */
  readonly losses: number;
  /** Signals that came before the end of the lease, by the clock. The others came as soon as the process ran again. */
  readonly inTime: number;
  /** What a holder must never see, in words. */
  readonly wrong: readonly string[];
}

/** Locks at random, for as short a time as can be, until a time. */
export interface StormSettings {
  readonly seed: number;
  readonly wishes: readonly Wish[];
  readonly workers: number;
  readonly mostMs: number;
  /** How many of the tries do not wait. */
  readonly impatience: number;
  /** On the clock that all processes share. */
  readonly untilUs: number;
}

/** A lock that is taken when it is told to, and kept until it is told to let go. */
interface HoldSettings {
  readonly wish: Wish;
  readonly ttlMs: number;
}

/** What a child can be told to do, with what it is given and what it answers. */
export type LockJobs = {
  readonly open: { readonly given: OpenSettings; readonly answer: null };
  /** Resolves when `stop` was asked for. */
  readonly work: { readonly given: WorkSettings; readonly answer: WorkReport };
  readonly stop: { readonly given: null; readonly answer: null };
  readonly storm: { readonly given: StormSettings; readonly answer: readonly Claim[] };
  /** Resolves when it has it. */
  readonly hold: { readonly given: HoldSettings; readonly answer: Claim };
  /** Gives back what `hold` took. */
  readonly letGo: { readonly given: null; readonly answer: readonly Claim[] };
  readonly close: { readonly given: null; readonly answer: null };
};

/** What a child tells the sink. */
export type ToSink =
  | { readonly write: number; readonly claim: Claim }
  | { readonly ended: Claim }
  /** An error that nobody may get. */
  | { readonly failure: string };

/** What the sink answers. */
export interface FromSink {
  readonly write: number;
  readonly isAccepted: boolean;
}

import type { RedisConnectionOptions } from '../../../src/core/redis/config/redis.options.js';
import type { RateLimitPolicy } from '../../../src/throttler/index.js';

/** The limits of one process. */
export interface OpenSettings {
  readonly redis: RedisConnectionOptions;
  readonly prefix: string;
  readonly policies: readonly RateLimitPolicy[];
}

/** Who decides: the library, or the recipe that people copy: a sorted set by the time of the process, counted after it was added to, in commands one by one. */
type Decider = 'rookery' | 'recipe';

/** Requests at random, the same for the same seed, until a time. */
export interface StormSettings {
  readonly seed: number;
  readonly by: Decider;
  /** Each request is counted by one of these lists. */
  readonly choices: readonly (readonly string[])[];
  readonly callers: readonly string[];
  /** Units of one request, at most. */
  readonly mostUnits: number;
  /** Requests at once. */
  readonly workers: number;
  /** On the clock that all processes share. */
  readonly untilUs: number;
}

/** One request, and when its answer can have been decided, on the clock that all processes share. */
export interface Decision {
  readonly caller: string;
  readonly policies: readonly string[];
  readonly units: number;
  readonly admitted: boolean;
  /** The process knew it to be refused, and did not ask. */
  readonly fromMemory: boolean;
  readonly sentUs: number;
  readonly answeredUs: number;
}

/** Whatever `RateLimiter` can do, at random. */
export interface ChurnSettings {
  readonly seed: number;
  readonly policies: readonly string[];
  readonly callers: readonly string[];
  readonly workers: number;
  readonly operations: number;
}

/** Work that holds a slot. */
interface HoldSettings {
  readonly policy: string;
  readonly caller: string;
  readonly forMs: number;
}

/** Short works in slots, as many as there is room for, until a time. */
export interface WorksSettings {
  readonly seed: number;
  readonly policy: string;
  readonly caller: string;
  /** Works that are tried at once. */
  readonly workers: number;
  readonly mostMs: number;
  /** On the clock that all processes share. */
  readonly untilUs: number;
}

/** When a work went on, on the clock that all processes share. */
export interface Work {
  readonly startUs: number;
  readonly endUs: number;
}

/** What a child can be told to do, with what it is given and what it answers. */
export type ThrottlerJobs = {
  /** Answers with what time it thinks that it is, in milliseconds. */
  readonly open: { readonly given: OpenSettings; readonly answer: number };
  readonly storm: { readonly given: StormSettings; readonly answer: readonly Decision[] };
  readonly churn: { readonly given: ChurnSettings; readonly answer: null };
  /** Resolves with whether there was a slot. */
  readonly hold: { readonly given: HoldSettings; readonly answer: boolean };
  readonly works: { readonly given: WorksSettings; readonly answer: readonly Work[] };
  readonly close: { readonly given: null; readonly answer: null };
};

/** It works in a slot. */
export const HOLDS = 'holds';

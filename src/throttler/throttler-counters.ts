/** What the module counts. Plain fields that only grow, shown to OpenTelemetry as `rookery.throttler.*`. */
export interface ThrottlerCounters {
  admitted: number;
  refused: number;
  /** Those of the refused that were known to be, without a round trip. */
  refusedFromMemory: number;
  /** Those of the refused that are on the block list, or blocked by a policy. */
  blocked: number;
  /** Times that a policy in shadow mode would have refused. */
  shadowRefusals: number;
  /** Decisions that were made without Redis. */
  decidedWithoutRedis: number;
}

/** All at zero. */
export const newThrottlerCounters = (): ThrottlerCounters => ({
  admitted: 0,
  refused: 0,
  refusedFromMemory: 0,
  blocked: 0,
  shadowRefusals: 0,
  decidedWithoutRedis: 0,
});

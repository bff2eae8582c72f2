/** What a journal counts. Plain fields that only grow, shown to OpenTelemetry as `rookery.write_behind.*` with the journal's name. */
export interface WriteBehindCounters {
  /** Writes that were journalled. */
  writes: number;
  /** Writes whose `id` had been journalled before. */
  writesRepeated: number;
  /** Writes that the journal refused: it was full, or the sum too large. */
  writesRefused: number;
  /** Writes that failed because of Redis. */
  writesFailed: number;
  /** Batches that the source took. */
  batchesFlushed: number;
  /** Entries in them. */
  entriesFlushed: number;
  /** Attempts at a batch that the source did not take. */
  flushFailures: number;
  /** Batches whose lease was lost before they were settled: another process has them now. */
  leasesLost: number;
  /** Entries that became dead letters. */
  entriesDead: number;
  /** Rounds of flushing that ended because Redis was away. */
  roundsWithoutRedis: number;
}

/** All at zero. */
export const newWriteBehindCounters = (): WriteBehindCounters => ({
  writes: 0,
  writesRepeated: 0,
  writesRefused: 0,
  writesFailed: 0,
  batchesFlushed: 0,
  entriesFlushed: 0,
  flushFailures: 0,
  leasesLost: 0,
  entriesDead: 0,
  roundsWithoutRedis: 0,
});

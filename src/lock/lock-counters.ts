/** What the module counts. Plain fields that only grow, shown to OpenTelemetry as `rookery.lock.*`. */
export interface LockCounters {
  acquired: number;
  /** Callers that had to wait, whether they got it in the end or not. */
  waited: number;
  /** Callers that did not get it, since others had it. */
  refused: number;
  extended: number;
  released: number;
  /** Locks that were lost while they were in use. */
  lost: number;
  releasedByForce: number;
}

/** All at zero. */
export const newLockCounters = (): LockCounters => ({
  acquired: 0,
  waited: 0,
  refused: 0,
  extended: 0,
  released: 0,
  lost: 0,
  releasedByForce: 0,
});

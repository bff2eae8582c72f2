/** What one caller was given. Times are microseconds on the clock that the processes share. */
export interface Read {
  readonly process: number;
  readonly key: string;
  readonly version: number;
  readonly beganUs: number;
  /**
   * Earlier than `beganUs` only for a caller that went without Redis and so may have joined a load that already ran: that load's beginning. Redis tells nobody
   * who does not reach it.
   */
  readonly sinceUs: number;
}

/** A change of the source, followed by an invalidation or a write of the cache that ended at `endedUs`. */
export interface Change {
  readonly process: number;
  readonly key: string;
  readonly version: number;
  readonly endedUs: number;
  /** Whether it was confirmed. */
  readonly confirmed: boolean;
}

/** A read that broke the guarantee. */
interface Violation {
  readonly read: Read;
  readonly change: Change;
  /** How long before the read the change was over. */
  readonly lateMs: number;
}

/** What came of holding reads against changes. */
export interface Verdict {
  readonly violations: readonly Violation[];
  /** Reads that some change was over before, so that there was something to get wrong. */
  readonly checked: number;
  /** The oldest value that memory gave in another process than the one that changed it: how long after the change. */
  readonly longestLagMs: number;
}

/**
 * The guarantee: once a change of the source has been followed by a confirmed invalidation, no read that begins after gives an older version. In the process
 * that changed it, this holds for an unconfirmed one too. `lagMs` says by how much a copy in the memory of another process may lag behind.
 */
export function judge(
  reads: readonly Read[],
  changes: readonly Change[],
  lagMs: (read: Read, change: Change) => number,
): Verdict {
  const changesOf = new Map<string, Change[]>();
  for (const change of changes) changesOf.set(change.key, [...(changesOf.get(change.key) ?? []), change]);
  const violations: Violation[] = [];
  let checked = 0;
  let longestLagMs = 0;
  for (const read of reads) {
    const before = (changesOf.get(read.key) ?? []).filter(
      (change) => change.endedUs < read.sinceUs && (change.confirmed || change.process === read.process),
    );
    if (before.length > 0) checked += 1;
    for (const change of before) {
      if (read.version >= change.version) continue;
      const lateMs = (read.sinceUs - change.endedUs) / 1_000;
      const isOwn = change.process === read.process;
      if (isOwn || lateMs > lagMs(read, change)) violations.push({ read, change, lateMs });
      else longestLagMs = Math.max(longestLagMs, lateMs);
    }
  }
  return { violations, checked, longestLagMs };
}

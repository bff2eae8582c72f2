/** Why a session has ended. Stable, fit for a metric label. */
export type EndReason =
  /** It was not used for the idle timeout, or its absolute timeout is over. */
  | 'expired'
  /** By `session.destroy()`: a logout. */
  | 'destroyed'
  /** By `SessionService`: from another of the user's sessions, or by an administrator. */
  | 'revoked'
  /** Its user had too many. */
  | 'evicted'
  /** A login in the same browser has taken its place. */
  | 'replaced';

/** A session has ended. */
export interface SessionEnd {
  /** As `session.handle` named it. */
  readonly handle: string;
  /** Whose it was; null for nobody's. */
  readonly userId: string | null;
  readonly reason: EndReason;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly atMs: number;
}

/**
 * Gets each end at least once, in one process: another gets it once more when this one dies, throws or rejects before it is done, or is not done within
 * `ends.retryAfter`. A listener that must not act twice goes by `handle`, of which there is one end.
 */
export type SessionEndListener = (end: SessionEnd) => unknown;

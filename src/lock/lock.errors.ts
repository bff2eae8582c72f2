import { RookeryError } from '../core/errors/rookery-error.js';

/** A call that could never be right: an empty name, a TTL below 10 ms, no permits, a negative wait. Nothing was sent. */
export class LockUsageError extends RookeryError {
  readonly code = 'ROOKERY_LOCK_USAGE';
}

/** Somebody else had the lock for as long as the caller was willing to wait. */
export class LockNotAcquiredError extends RookeryError {
  readonly code = 'ROOKERY_LOCK_NOT_ACQUIRED';

  constructor(
    readonly waitedMs: number,
    /** When a lease on it ends, unless it is prolonged. */
    readonly retryAfterMs: number,
  ) {
    super('The lock is held by others.', { context: { waitedMs: Math.round(waitedMs), retryAfterMs } });
  }
}

/** Why a lock is not held any more. Stable, fit for a metric label. */
export type LossReason =
  /** The lease could not be prolonged in time: Redis did not answer, or this process stood still. */
  | 'lease-ended'
  /** Redis says that it belongs to nobody, or to somebody else: it was released by force, or its data was lost. */
  | 'taken-away'
  /** It was held for `maxHold`. */
  | 'max-hold'
  /** The application shuts down. */
  | 'closing';

/** The lock was lost while it was in use: somebody else may have it by now. The reason of `lock.signal`. */
export class LockLostError extends RookeryError {
  readonly code = 'ROOKERY_LOCK_LOST';

  constructor(readonly reason: LossReason) {
    super(`The lock was lost: ${EXPLANATIONS[reason]}`, { context: { reason } });
  }
}

const EXPLANATIONS: Record<LossReason, string> = {
  'lease-ended': 'its lease could not be prolonged in time',
  'taken-away': 'Redis has given it to somebody else, or to nobody',
  'max-hold': 'it was held for as long as it may be',
  closing: 'the application is shutting down',
};

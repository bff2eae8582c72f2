import { RookeryError } from './rookery-error.js';

/** Why Redis could not be used. Stable, fit for a metric label or a health page. */
export type UnavailableReason =
  /** No connection yet, or lost and not back. */
  | 'not-connected'
  /** The connection broke while the command was under way. */
  | 'connection-lost'
  /** No reply within the deadline. */
  | 'deadline'
  /** The server had gone silent or slow, so the command was not tried. */
  | 'circuit-open'
  /** The application is shutting down. */
  | 'closing'
  /** The server answered, and said that it cannot do this now: LOADING, BUSY, CLUSTERDOWN, MASTERDOWN and the like. */
  | 'server-not-ready'
  /** The server takes no writes now: READONLY, OOM, MISCONF, NOREPLICAS. */
  | 'writes-refused';

/**
 * Redis did not do what was asked, for a reason that passes by itself. The one error to catch in order to live without Redis.
 *
 * `mayHaveRun` is false when the command certainly had no effect, so that it can be sent again without harm; true when it may
 * have been carried out although no reply was seen.
 */
export class RedisUnavailableError extends RookeryError {
  readonly code = 'ROOKERY_REDIS_UNAVAILABLE';
  readonly reason: UnavailableReason;
  readonly mayHaveRun: boolean;

  constructor(
    reason: UnavailableReason,
    options: { readonly connection: string; readonly mayHaveRun: boolean; readonly cause?: unknown },
  ) {
    const { connection, mayHaveRun, cause } = options;
    super(`Redis connection '${connection}' is unavailable: ${EXPLANATIONS[reason]}`, {
      context: { connection, reason, mayHaveRun },
      cause,
    });
    this.reason = reason;
    this.mayHaveRun = mayHaveRun;
  }
}

const EXPLANATIONS: Record<UnavailableReason, string> = {
  'not-connected': 'not connected',
  'connection-lost': 'the connection was lost before the reply came',
  deadline: 'no reply within the deadline',
  'circuit-open': 'the server stopped answering in time; waiting until it does again',
  closing: 'the application is shutting down',
  'server-not-ready': 'the server cannot serve this at the moment',
  'writes-refused': 'the server takes no writes at the moment',
};

/**
 * Redis understood the command and refused it: WRONGTYPE, NOSCRIPT, NOPERM, an error raised in a script. Trying again changes nothing.
 *
 * `replyCode` is the first word of the server's reply. The reply itself is in `cause` and not in the message, since it can quote arguments.
 */
export class RedisReplyError extends RookeryError {
  readonly code = 'ROOKERY_REDIS_REPLY';
  readonly replyCode: string;

  constructor(command: string, replyCode: string, cause: unknown) {
    super(`Redis refused ${command}: ${replyCode}`, { context: { command, replyCode }, cause });
    this.replyCode = replyCode;
  }
}

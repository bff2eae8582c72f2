import { RedisReplyError, RedisUnavailableError, type UnavailableReason } from '../../errors/redis.errors.js';

/** Replies of a server that works but cannot serve now. The command had no effect. */
const PASSING_REPLIES: Readonly<Record<string, UnavailableReason>> = {
  LOADING: 'server-not-ready',
  BUSY: 'server-not-ready',
  CLUSTERDOWN: 'server-not-ready',
  MASTERDOWN: 'server-not-ready',
  TRYAGAIN: 'server-not-ready',
  NOAUTH: 'server-not-ready',
  UNBLOCKED: 'server-not-ready',
  READONLY: 'writes-refused',
  OOM: 'writes-refused',
  MISCONF: 'writes-refused',
  NOREPLICAS: 'writes-refused',
};

/** The first word of an error reply: `WRONGTYPE Operation against ...` gives `WRONGTYPE`. */
const REPLY_CODE = /^-?([A-Z][A-Z0-9_]*)\b/;

/** What the server says about an unknown command quotes its arguments. */
const QUOTED_ARGUMENTS = /,? with args beginning with:.*$/s;

/** How ioredis begins its error after many redirections, each of which says that the command did not run. */
const REDIRECTIONS = 'Too many Cluster redirections';

/** The first word of an error reply, null for any other error. */
export function replyCodeOf(error: unknown): string | null {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return null;
  return REPLY_CODE.exec(error.message)?.[1] ?? 'ERR';
}

/** Turns whatever ioredis rejects with into one of the two errors that callers know. Neither holds the command's arguments. */
export function toRookeryError(error: unknown, connection: string, command: string): Error {
  const replyCode = replyCodeOf(error);
  const cause = withoutArguments(error);
  if (replyCode === null) {
    return cause.message.startsWith(REDIRECTIONS)
      ? new RedisUnavailableError('server-not-ready', { connection, mayHaveRun: false, cause })
      : new RedisUnavailableError('connection-lost', { connection, mayHaveRun: true, cause });
  }
  const reason = PASSING_REPLIES[replyCode];
  return reason === undefined
    ? new RedisReplyError(command, replyCode, cause)
    : new RedisUnavailableError(reason, { connection, mayHaveRun: false, cause });
}

/** ioredis puts the whole command into its errors: keys and values, which would then stand in logs. */
function withoutArguments(error: unknown): Error {
  const message = error instanceof Error ? error.message : 'not an error';
  const clean = new Error(message.replace(QUOTED_ARGUMENTS, ''));
  clean.name = error instanceof Error ? error.name : 'Error';
  return clean;
}

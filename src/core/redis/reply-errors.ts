import { RedisReplyError, RedisUnavailableError, type UnavailableReason } from '../errors/redis.errors.js';

/** Replies of a server that works but cannot serve now. The command had no effect. */
const PASSING_REPLIES: Readonly<Record<string, UnavailableReason>> = {
  LOADING: 'server-not-ready',
  BUSY: 'server-not-ready',
  CLUSTERDOWN: 'server-not-ready',
  MASTERDOWN: 'server-not-ready',
  TRYAGAIN: 'server-not-ready',
  NOAUTH: 'server-not-ready',
  READONLY: 'writes-refused',
  OOM: 'writes-refused',
  MISCONF: 'writes-refused',
  NOREPLICAS: 'writes-refused',
};

/** The first word of an error reply: `WRONGTYPE Operation against ...` gives `WRONGTYPE`. */
const REPLY_CODE = /^-?([A-Z][A-Z0-9_]*)\b/;

/** Turns whatever ioredis rejects with into one of the two errors that callers know. */
export function toRookeryError(error: unknown, connection: string, command: string): Error {
  if (!(error instanceof Error)) return new RedisReplyError(command, 'ERR', error);
  if (error.name !== 'ReplyError') {
    return new RedisUnavailableError('connection-lost', { connection, mayHaveRun: true, cause: error });
  }
  const replyCode = REPLY_CODE.exec(error.message)?.[1] ?? 'ERR';
  const reason = PASSING_REPLIES[replyCode];
  return reason === undefined
    ? new RedisReplyError(command, replyCode, error)
    : new RedisUnavailableError(reason, { connection, mayHaveRun: false, cause: error });
}

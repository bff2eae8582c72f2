/**
 * What an error event of a connection means, in a word or two: `connect ECONNREFUSED`, `WRONGPASS`. Enough to act on, and free of anything that
 * a server might quote back. Undefined when the error only says that something failed.
 */
export function describeError(
  error: Error & { readonly code?: unknown; readonly syscall?: unknown },
): string | undefined {
  if (typeof error.code === 'string') {
    return typeof error.syscall === 'string' ? `${error.syscall} ${error.code}` : error.code;
  }
  if (error.name === 'ReplyError') return error.message.split(' ', 1)[0];
  return error.message.startsWith(ALL_SENTINELS) ? ALL_SENTINELS : undefined;
}

/** How ioredis begins the error that it raises when no Sentinel names the primary. */
const ALL_SENTINELS = 'All sentinels are unreachable';

/** Postgres error classes of a server that cannot serve now: connection, resources, operator intervention. */
const SQL_STATE_CLASSES = ['08', '53', '57'];
const SOCKET_CODES = ['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT'];
/** What the driver itself says; it gives these no code. */
const DRIVER_MESSAGES = [
  'timeout exceeded when trying to connect',
  'Query read timeout',
  'Connection terminated',
  'Client has encountered a connection error',
];

/** Whether the failure is the database being away or overloaded, so that the same request may succeed later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) {
    return false;
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    SOCKET_CODES.includes(code) ||
    (code.length === 5 && SQL_STATE_CLASSES.includes(code.slice(0, 2))) ||
    DRIVER_MESSAGES.some((message) => error.message.includes(message))
  );
}

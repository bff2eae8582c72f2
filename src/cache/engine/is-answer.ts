/**
 * Whether an error is an answer rather than a failure: it carries a client status, 400 to 499, as Nest's HTTP exceptions do. What does not exist, or may not be
 * seen, is no reason to leave the source alone.
 */
export function isAnswer(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('status' in error)) return false;
  const { status } = error;
  return typeof status === 'number' && status >= 400 && status <= 499;
}

/** The shortest lease: below it, a busy process would lose it before it has begun to work. */
export const SHORTEST_TTL_MS = 10;

/** What the clocks of a server and a process may run apart in that time, in milliseconds: 1 % of it and 2 ms, as Redlock has it. */
export function driftMs(ms: number): number {
  return ms / 100 + 2;
}

/**
 * For how long a lease of `ttlMs` is relied on, from the sending of the command that it began with. Less than the drift demands, so that even a timer that is a little
 * late rings in time.
 */
export function reliedOnMs(ttlMs: number): number {
  return ttlMs - driftMs(ttlMs) - Math.max(1, Math.min(50, ttlMs / 20));
}

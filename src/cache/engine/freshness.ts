import type { EntryFacts } from '../entry/entry-format.js';
import type { Policy } from './policy.js';

/**
 * - `fresh`: served.
 * - `revalidate`: served, while another is loaded in the background.
 * - `fallback`: served if the load fails or takes too long.
 * - `expired`: not served.
 */
export type Freshness = 'fresh' | 'revalidate' | 'fallback' | 'expired';

/** What a stored value may be used for, at a moment. */
export function freshnessOf({ freshUntilMs }: EntryFacts, policy: Policy, nowMs: number): Freshness {
  if (nowMs < freshUntilMs) return 'fresh';
  if (nowMs < freshUntilMs + policy.revalidateMs) return 'revalidate';
  return nowMs < freshUntilMs + policy.failSafeMs ? 'fallback' : 'expired';
}

/**
 * Whether a hit on a fresh value should start a load in the background: after a share of its time (eager refresh), or by chance, the likelier the nearer the
 * end and the longer the last load took. The latter is XFetch, of "Optimal Probabilistic Cache Stampede Prevention" (Vattani, Chierichetti, Lowenstein,
 * 2015): refresh when now - loadTime * beta * ln(random) is past the end.
 */
export function isDueEarly(facts: EntryFacts, policy: Policy, nowMs: number, random: () => number): boolean {
  const { eagerRefresh, earlyRefresh } = policy;
  const { freshUntilMs, storedAtMs, loadMs } = facts;
  if (eagerRefresh !== null && nowMs >= storedAtMs + eagerRefresh * (freshUntilMs - storedAtMs)) return true;
  if (earlyRefresh === 0) return false;
  return nowMs - Math.max(1, loadMs) * earlyRefresh * Math.log(1 - random()) >= freshUntilMs;
}

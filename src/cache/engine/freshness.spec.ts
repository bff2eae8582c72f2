import { describe, expect, it } from '@jest/globals';
import type { EntryFacts } from '../entry/entry-format.js';
import { freshnessOf, isDueEarly } from './freshness.js';
import { DEFAULT_POLICY, type Policy } from './policy.js';

const STORED_AT_MS = 1_000_000;
const FRESH_UNTIL_MS = 1_100_000;
const FACTS: EntryFacts = { storedAtMs: STORED_AT_MS, freshUntilMs: FRESH_UNTIL_MS, loadMs: 200, tags: [] };

const policyOf = (options: Partial<Policy>): Policy => ({ ...DEFAULT_POLICY, ...options });
const never = (): number => {
  throw new Error('Chance has no say in this.');
};

describe('freshnessOf', () => {
  const both = policyOf({ revalidateMs: 10, failSafeMs: 50 });

  it.each<[number, string]>([
    [-1, 'fresh'],
    [0, 'revalidate'],
    [9, 'revalidate'],
    [10, 'fallback'],
    [49, 'fallback'],
    [50, 'expired'],
  ])('%d ms past its end, a value is %s', (pastMs, freshness) => {
    expect(freshnessOf(FACTS, both, FRESH_UNTIL_MS + pastMs)).toBe(freshness);
  });

  it('has no stale states unless they are asked for', () => {
    expect(freshnessOf(FACTS, DEFAULT_POLICY, FRESH_UNTIL_MS - 1)).toBe('fresh');
    expect(freshnessOf(FACTS, DEFAULT_POLICY, FRESH_UNTIL_MS)).toBe('expired');
  });

  it('revalidates for the whole of its time when fail-safe is the shorter', () => {
    const policy = policyOf({ revalidateMs: 50, failSafeMs: 10 });
    expect(freshnessOf(FACTS, policy, FRESH_UNTIL_MS + 49)).toBe('revalidate');
    expect(freshnessOf(FACTS, policy, FRESH_UNTIL_MS + 50)).toBe('expired');
  });
});

describe('eager refresh', () => {
  const policy = policyOf({ eagerRefresh: 0.8 });

  it('is due after its share of the time, whatever chance says', () => {
    expect(isDueEarly(FACTS, policy, STORED_AT_MS + 79_999, never)).toBe(false);
    expect(isDueEarly(FACTS, policy, STORED_AT_MS + 80_000, never)).toBe(true);
  });

  it('is off by default', () => {
    expect(isDueEarly(FACTS, DEFAULT_POLICY, FRESH_UNTIL_MS - 1, never)).toBe(false);
  });
});

describe('probabilistic early refresh', () => {
  const DRAWS = 10_000;

  /** The share of all chances that lead to a refresh, that long before the end: evenly spread draws, so that it is exact. */
  function share(beforeEndMs: number, earlyRefresh: number, loadMs: number): number {
    const policy = policyOf({ earlyRefresh });
    let due = 0;
    for (let i = 0; i < DRAWS; i++) {
      const random = (): number => (i + 0.5) / DRAWS;
      if (isDueEarly({ ...FACTS, loadMs }, policy, FRESH_UNTIL_MS - beforeEndMs, random)) due += 1;
    }
    return due / DRAWS;
  }

  it.each([0.1, 0.5, 1, 2, 4])('comes %d load times before the end with the chance that XFetch gives it', (times) => {
    expect(share(times * 200, 1, 200)).toBeCloseTo(Math.exp(-times), 3);
  });

  it('comes earlier for what takes longer to load, and for a greater factor', () => {
    expect(share(1_000, 1, 1_000)).toBeCloseTo(Math.exp(-1), 3);
    expect(share(1_000, 1, 100)).toBeCloseTo(Math.exp(-10), 3);
    expect(share(1_000, 2, 500)).toBeCloseTo(Math.exp(-1), 3);
  });

  it('is certain at the end, and has a chance even where the load took no time', () => {
    expect(share(0, 1, 200)).toBe(1);
    expect(share(1, 1, 0)).toBeCloseTo(Math.exp(-1), 3);
  });

  it('never comes when chance draws its lowest, and always can when it draws its highest', () => {
    const policy = policyOf({ earlyRefresh: 1 });
    expect(isDueEarly(FACTS, policy, FRESH_UNTIL_MS - 1, () => 0)).toBe(false);
    expect(isDueEarly(FACTS, policy, FRESH_UNTIL_MS - 5_000, () => 1 - Number.EPSILON)).toBe(true);
  });

  it('is off at 0', () => {
    expect(isDueEarly(FACTS, policyOf({ earlyRefresh: 0 }), FRESH_UNTIL_MS, never)).toBe(false);
  });
});

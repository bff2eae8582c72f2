import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { DEFAULT_POLICY, lifetimeOf, resolvePolicy, type Policy, type PolicyOptions } from './policy.js';

const NOW_MS = 1_700_000_000_000;
const lowest = (): number => 0;
const highest = (): number => 1 - Number.EPSILON;

const policyOf = (options: PolicyOptions, base: Policy = DEFAULT_POLICY): Policy =>
  resolvePolicy(base, options, " of cache 'products'");

const freshMs = (policy: Policy, random = lowest, expiresAt?: Date): number =>
  lifetimeOf(policy, 'value', expiresAt, NOW_MS, random).freshMs;

describe('resolvePolicy', () => {
  it('changes nothing where nothing is said', () => {
    expect(policyOf({})).toEqual(DEFAULT_POLICY);
  });

  it('reads every option', () => {
    const ttl = (): '3s' => '3s';
    const options = {
      ttl,
      jitter: 0.2,
      negativeTtl: '1s',
      staleWhileRevalidate: '2s',
      failSafe: '1h',
      throttle: '4s',
      softTimeout: '100ms',
      hardTimeout: '200ms',
      eagerRefresh: 0.8,
      earlyRefresh: 1,
      backoff: '7s',
    } as const;
    const expected = {
      ttl,
      jitter: 0.2,
      negativeTtlMs: 1_000,
      revalidateMs: 2_000,
      failSafeMs: 3_600_000,
      throttleMs: 4_000,
      softTimeoutMs: 100,
      hardTimeoutMs: 200,
      eagerRefresh: 0.8,
      earlyRefresh: 1,
      backoffMs: 7_000,
    };
    expect(policyOf(options)).toEqual(expected);
    expect(policyOf({}, policyOf(options))).toEqual(expected);
  });

  it("lets a call say otherwise than its cache, also where the cache's is a function or a share of nothing", () => {
    const base = policyOf({ ttl: () => '1s', jitter: 0.5, earlyRefresh: 2 });
    expect(policyOf({ ttl: '30s', jitter: 0, earlyRefresh: 0 }, base)).toMatchObject({
      ttl: 30_000,
      jitter: 0,
      earlyRefresh: 0,
    });
  });

  it('turns the backoff off', () => {
    expect(policyOf({ backoff: false }).backoffMs).toBe(0);
  });

  it.each<[PolicyOptions, string]>([
    [{ jitter: 1.5 }, "CacheModule: jitter of cache 'products' must lie between 0 and 1; it is 1.5."],
    [{ jitter: NaN }, "CacheModule: jitter of cache 'products' must lie between 0 and 1; it is NaN."],
    [{ earlyRefresh: -1 }, "CacheModule: earlyRefresh of cache 'products' must be 0 or more; it is -1."],
    [{ eagerRefresh: 0 }, "CacheModule: eagerRefresh of cache 'products' must lie between 0 and 1; it is 0."],
    [{ eagerRefresh: 1 }, "CacheModule: eagerRefresh of cache 'products' must lie between 0 and 1; it is 1."],
    [{ ttl: '0s' }, "CacheModule: ttl of cache 'products' must be a duration longer than nothing"],
    [{ ttl: 'soon' as '1s' }, "CacheModule: ttl of cache 'products' must be a duration longer than nothing"],
    [{ negativeTtl: '0s' }, "CacheModule: negativeTtl of cache 'products' must be a duration"],
    [{ staleWhileRevalidate: 5 as unknown as '5s' }, "CacheModule: staleWhileRevalidate of cache 'products' must be"],
    [{ failSafe: '-1s' }, "CacheModule: failSafe of cache 'products' must be a duration"],
    [{ throttle: '0s' }, "CacheModule: throttle of cache 'products' must be a duration"],
    [{ softTimeout: '30d' }, "CacheModule: softTimeout of cache 'products' must be a duration longer than nothing and"],
    [{ hardTimeout: '30d' }, "CacheModule: hardTimeout of cache 'products' must be a duration longer than nothing and"],
    [{ backoff: '0s' }, "CacheModule: backoff of cache 'products' must be a duration"],
  ])('refuses %j by name', (options, message) => {
    expect(() => policyOf(options)).toThrow(ConfigurationError);
    expect(() => policyOf(options)).toThrow(message);
  });
});

describe('lifetimeOf', () => {
  const TEN_MINUTES = policyOf({ ttl: '10m' });

  it("is the call's TTL, else the cache's", () => {
    expect(freshMs(TEN_MINUTES)).toBe(600_000);
    expect(freshMs(policyOf({ ttl: '30s' }, TEN_MINUTES))).toBe(30_000);
  });

  it('is read off the value where the TTL is a function', () => {
    const policy = policyOf({ ttl: ({ seconds }: { seconds: number }) => `${seconds}s` as const });
    expect(lifetimeOf(policy, { seconds: 12 }, undefined, NOW_MS, lowest)).toEqual({ freshMs: 12_000, keptMs: 12_000 });
  });

  it('is another for null where that is asked for, and only for null', () => {
    const policy = policyOf({ ttl: '10m', negativeTtl: '5s' });
    const own = (value: unknown): number => lifetimeOf(policy, value, undefined, NOW_MS, lowest).freshMs;
    expect(own(null)).toBe(5_000);
    for (const value of [undefined, 0, '', false, []]) expect(own(value)).toBe(600_000);
    expect(lifetimeOf(TEN_MINUTES, null, undefined, NOW_MS, lowest).freshMs).toBe(600_000);
  });

  it('does not ask a TTL function about null that has a TTL of its own', () => {
    const policy = policyOf({ ttl: ({ name }: { name: string }) => (name === '' ? '1s' : '2s'), negativeTtl: '5s' });
    expect(lifetimeOf(policy, null, undefined, NOW_MS, lowest).freshMs).toBe(5_000);
  });

  it('is shortened by no more than the jitter, and never to nothing', () => {
    expect(freshMs(policyOf({ jitter: 0.1 }, TEN_MINUTES), lowest)).toBe(600_000);
    expect(freshMs(policyOf({ jitter: 0.1 }, TEN_MINUTES), () => 0.5)).toBe(570_000);
    expect(freshMs(policyOf({ jitter: 0.1 }, TEN_MINUTES), highest)).toBe(540_000);
    expect(freshMs(policyOf({ jitter: 0.5 }, TEN_MINUTES), highest)).toBe(300_000);
    expect(freshMs(policyOf({ ttl: '1ms', jitter: 1 }), highest)).toBe(1);
  });

  it('ends at the given moment at the latest, which jitter does not move', () => {
    const expiresAt = new Date(NOW_MS + 90_000);
    expect(freshMs(policyOf({ jitter: 0.1 }, TEN_MINUTES), highest, expiresAt)).toBe(90_000);
    expect(freshMs(policyOf({ ttl: '10s' }), lowest, expiresAt)).toBe(10_000);
  });

  it('is 0 for a moment that has passed, and for a TTL of nothing, jitter or not', () => {
    expect(freshMs(TEN_MINUTES, lowest, new Date(NOW_MS))).toBe(0);
    expect(freshMs(TEN_MINUTES, lowest, new Date(NOW_MS - 5))).toBe(0);
    const nothing = policyOf({ ttl: () => '0ms', jitter: 0.5, failSafe: '1h' });
    expect(lifetimeOf(nothing, 'value', undefined, NOW_MS, highest)).toEqual({ freshMs: 0, keptMs: 0 });
  });

  it('is none for a date that is not one', () => {
    expect(() => freshMs(TEN_MINUTES, lowest, new Date('soon'))).toThrow('expiresAt is an invalid date.');
  });

  it('keeps a value beyond its freshness for as long as it may be served stale, by either rule', () => {
    const kept = (options: PolicyOptions): number =>
      lifetimeOf(policyOf(options, TEN_MINUTES), 'value', undefined, NOW_MS, lowest).keptMs;
    expect(kept({})).toBe(600_000);
    expect(kept({ staleWhileRevalidate: '1m' })).toBe(660_000);
    expect(kept({ failSafe: '1h', staleWhileRevalidate: '1m' })).toBe(4_200_000);
    expect(kept({ failSafe: '1m', staleWhileRevalidate: '1h' })).toBe(4_200_000);
  });

  it('does not keep a value beyond an absolute expiry, not even stale', () => {
    const policy = policyOf({ failSafe: '1h' }, TEN_MINUTES);
    const life = lifetimeOf(policy, 'value', new Date(NOW_MS + 90_000), NOW_MS, lowest);
    expect(life).toEqual({ freshMs: 90_000, keptMs: 90_000 });
  });
});

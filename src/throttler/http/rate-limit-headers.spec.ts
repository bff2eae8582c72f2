import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseItem, parseList } from 'structured-headers';
import { RateLimitResult, type PolicyResult } from '../rate-limit-result.js';
import type { RateLimitHeaders } from '../throttler.options.js';
import { rateLimitHeaders } from './rate-limit-headers.js';

function policy(settings: Partial<PolicyResult> & { readonly name: string }): PolicyResult {
  return { limit: 10, remaining: 5, resetMs: 30_000, retryAfterMs: 0, shadow: false, windowSeconds: 60, ...settings };
}

/** What was decided about a request, as the limiter puts it. */
function result(policies: readonly PolicyResult[], blockedMs = 0): RateLimitResult {
  const refusing = policies.filter(({ retryAfterMs, shadow }) => retryAfterMs > 0 && !shadow);
  const retryAfterMs = Math.max(blockedMs, ...refusing.map((each) => each.retryAfterMs));
  const admitted = retryAfterMs === 0;
  return new RateLimitResult(admitted, retryAfterMs, blockedMs > 0, policies, 'redis', false, () => Promise.resolve());
}

const fields = (of: RateLimitResult, which: RateLimitHeaders = {}): Record<string, string> =>
  Object.fromEntries(rateLimitHeaders(of, which));

/** The items of a list: their values, and their parameters. */
const items = (field: string | undefined): [unknown, Record<string, unknown>][] =>
  parseList(field ?? '').map(([value, parameters]) => [value, Object.fromEntries(parameters)]);

const retryAfter = (of: RateLimitResult): number => parseItem(fields(of)['Retry-After'] ?? '')[0] as number;

describe('The headers of an answer', () => {
  it('are lists of structured fields that name each policy, in their order', () => {
    const answer = result([
      policy({ name: 'burst', limit: 20, remaining: 19, resetMs: 1_000, windowSeconds: 1 }),
      policy({ name: 'day' }),
    ]);
    expect(rateLimitHeaders(answer, {})).toEqual([
      ['RateLimit-Policy', '"burst";q=20;w=1, "day";q=10;w=60'],
      ['RateLimit', '"burst";r=19;t=1, "day";r=5;t=30'],
    ]);
    expect(items(fields(answer)['RateLimit-Policy'])).toEqual([
      ['burst', { q: 20, w: 1 }],
      ['day', { q: 10, w: 60 }],
    ]);
  });

  it('are read back as they were meant, by whatever name and numbers', () => {
    const printable = fc.string({
      unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 64,
    });
    const count = fc.integer({ min: 0, max: 1_000_000_000 });
    const any = fc.record<PolicyResult>({
      name: printable,
      limit: count,
      remaining: count,
      resetMs: fc.nat(366 * 86_400_000),
      retryAfterMs: fc.oneof(fc.constant(0), fc.nat(366 * 86_400_000)),
      shadow: fc.boolean(),
      windowSeconds: fc.option(count, { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 8 }), (policies) => {
        const answer = result(policies);
        const shown = policies.filter(({ shadow }) => !shadow);
        const { 'RateLimit-Policy': quotas, RateLimit: states } = fields(answer);
        expect(items(quotas)).toEqual(
          shown.map(({ name, limit, windowSeconds }) => [
            name,
            windowSeconds === undefined ? { q: limit, qu: 'concurrent-requests' } : { q: limit, w: windowSeconds },
          ]),
        );
        expect(items(states).map(([name, { r }]) => [name, r])).toEqual(
          shown.map(({ name, remaining }) => [name, remaining]),
        );
      }),
    );
  });

  it.each(['say "hi"', 'back\\slash', 'a, b;q=1', '"', '\\'])('escape a name such as %s', (name) => {
    expect(items(fields(result([policy({ name })]))['RateLimit'])).toEqual([[name, { r: 5, t: 30 }]]);
  });

  it.each([
    [1, 1],
    [999, 1],
    [1_000, 1],
    [1_001, 2],
    [59_001, 60],
  ])('round %d ms up to %d s', (ms, seconds) => {
    expect(items(fields(result([policy({ name: 'a', resetMs: ms })]))['RateLimit'])).toEqual([
      ['a', { r: 5, t: seconds }],
    ]);
    expect(retryAfter(result([policy({ name: 'a', retryAfterMs: ms })]))).toBe(seconds);
    expect(retryAfter(result([], ms))).toBe(seconds);
  });

  it('tell no time to wait for what is whole', () => {
    expect(fields(result([policy({ name: 'a', remaining: 10, resetMs: 0 })]))).toMatchObject({
      RateLimit: '"a";r=10;t=0',
    });
  });

  it('tell of a policy that refuses what Retry-After tells, of the others when they are whole', () => {
    const answer = result([
      policy({ name: 'burst', remaining: 0, retryAfterMs: 300, resetMs: 900 }),
      policy({ name: 'day', remaining: 2, retryAfterMs: 7_200, resetMs: 86_000_000 }),
      policy({ name: 'roomy', resetMs: 45_000 }),
    ]);
    expect(retryAfter(answer)).toBe(8);
    expect(items(fields(answer)['RateLimit'])).toEqual([
      ['burst', { r: 0, t: 8 }],
      ['day', { r: 2, t: 8 }],
      ['roomy', { r: 5, t: 45 }],
    ]);
  });

  it('have a unit and no window for a limit of requests at once', () => {
    const slots = policy({ name: 'slots', remaining: 0, resetMs: 0, retryAfterMs: 1_000, windowSeconds: undefined });
    expect(fields(result([slots]))).toEqual({
      'RateLimit-Policy': '"slots";q=10;qu="concurrent-requests"',
      RateLimit: '"slots";r=0',
      'Retry-After': '1',
    });
  });

  it('do not mention policies in shadow mode, and do not wait for them', () => {
    const shadow = policy({ name: 'trial', remaining: 0, retryAfterMs: 60_000, shadow: true });
    expect(fields(result([shadow]), { legacy: true })).toEqual({});
    const answer = fields(result([shadow, policy({ name: 'a', remaining: 6 })]), { legacy: true });
    expect(answer).toEqual({
      'RateLimit-Policy': '"a";q=10;w=60',
      RateLimit: '"a";r=6;t=30',
      'X-RateLimit-Limit': '10',
      'X-RateLimit-Remaining': '6',
      'X-RateLimit-Reset': '30',
    });
  });

  it('have nothing but Retry-After for a caller that is blocked', () => {
    expect(fields(result([], 90_000), { legacy: true })).toEqual({ 'Retry-After': '90' });
  });

  it('have Retry-After for a refusal, whatever else is not wanted', () => {
    const none = { standard: false, legacy: false };
    expect(fields(result([policy({ name: 'a' })]), none)).toEqual({});
    expect(fields(result([policy({ name: 'a', retryAfterMs: 1 })]), none)).toEqual({ 'Retry-After': '1' });
  });

  it('tell in the legacy form of the policy with the least left, and that alone where it is asked for', () => {
    const policies = [
      policy({ name: 'a' }),
      policy({ name: 'b', limit: 70, remaining: 1, resetMs: 1_500 }),
      policy({ name: 'c' }),
    ];
    const legacy = { 'X-RateLimit-Limit': '70', 'X-RateLimit-Remaining': '1', 'X-RateLimit-Reset': '2' };
    expect(fields(result(policies), { standard: false, legacy: true })).toEqual(legacy);
    expect(fields(result(policies), { legacy: true })).toMatchObject({
      ...legacy,
      RateLimit: '"a";r=5;t=30, "b";r=1;t=2, "c";r=5;t=30',
    });
    const refused = result([policy({ name: 'a', remaining: 0, retryAfterMs: 4_001, resetMs: 60_000 })]);
    expect(fields(refused, { legacy: true })).toMatchObject({ 'X-RateLimit-Reset': '5', 'Retry-After': '5' });
  });
});

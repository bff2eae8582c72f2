import { HttpException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { RateLimitResult, type PolicyResult } from '../rate-limit-result.js';
import { RateLimitException } from './rate-limit.exception.js';

const POLICY: PolicyResult = {
  name: 'a',
  limit: 10,
  remaining: 0,
  resetMs: 1_000,
  retryAfterMs: 500,
  shadow: false,
  windowSeconds: 1,
};

function refusal({ blocked = false, isOutage = false, policies = [POLICY] as readonly PolicyResult[] } = {}) {
  const release = (): Promise<void> => Promise.resolve();
  return new RateLimitResult(false, 500, blocked, policies, 'redis', isOutage, release);
}

describe('RateLimitException', () => {
  it('is a 429 of Nest, with the result', () => {
    const result = refusal();
    const exception = new RateLimitException(result);
    expect(exception).toBeInstanceOf(HttpException);
    expect(exception.getStatus()).toBe(429);
    expect(exception.result).toBe(result);
  });

  it('names as problem details the policies that refuse: not those with room, nor those in shadow mode', () => {
    const others = [
      { ...POLICY, name: 'roomy', retryAfterMs: 0 },
      { ...POLICY, name: 'shadow', shadow: true },
      { ...POLICY, name: 'b' },
    ];
    const exception = new RateLimitException(refusal({ policies: [POLICY, ...others] }));
    expect(exception.problem).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Request cannot be satisfied as assigned quota has been exceeded',
      status: 429,
      'violated-policies': ['a', 'b'],
    });
    expect(exception.message).toBe(exception.problem.title);
    expect(exception.getResponse()).toBe(exception.problem);
  });

  it('tells a blocked caller nothing but that', () => {
    const exception = new RateLimitException(refusal({ blocked: true, policies: [] }));
    expect(exception.problem).toEqual({ type: 'about:blank', title: 'Too Many Requests', status: 429 });
  });

  it('is a 503 where a policy refuses because Redis is away', () => {
    const exception = new RateLimitException(refusal({ isOutage: true }));
    expect(exception.getStatus()).toBe(503);
    expect(exception.problem).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
      title: 'Request cannot be satisfied due to temporary server capacity constraints',
      status: 503,
      'violated-policies': ['a'],
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import { timeToLiveMs } from './expiry.js';

const CONFIG = { ttlMs: 600_000, jitter: 0 };
const NOW_MS = 1_700_000_000_000;
const lowest = (): number => 0;
const highest = (): number => 1 - Number.EPSILON;

describe('timeToLiveMs', () => {
  it("is the call's TTL, else the cache's", () => {
    expect(timeToLiveMs(CONFIG, {}, NOW_MS, lowest)).toBe(600_000);
    expect(timeToLiveMs(CONFIG, { ttl: '30s' }, NOW_MS, lowest)).toBe(30_000);
  });

  it('is shortened by no more than the jitter, and never to nothing', () => {
    expect(timeToLiveMs(CONFIG, { jitter: 0.1 }, NOW_MS, lowest)).toBe(600_000);
    expect(timeToLiveMs(CONFIG, { jitter: 0.1 }, NOW_MS, highest)).toBe(540_000);
    expect(timeToLiveMs({ ttlMs: 600_000, jitter: 0.5 }, {}, NOW_MS, highest)).toBe(300_000);
    expect(timeToLiveMs(CONFIG, { ttl: '1ms', jitter: 1 }, NOW_MS, highest)).toBe(1);
  });

  it('ends at the given moment at the latest, which jitter does not move', () => {
    const expiresAt = new Date(NOW_MS + 90_000);
    expect(timeToLiveMs(CONFIG, { expiresAt, jitter: 0.1 }, NOW_MS, highest)).toBe(90_000);
    expect(timeToLiveMs(CONFIG, { expiresAt, ttl: '10s' }, NOW_MS, lowest)).toBe(10_000);
  });

  it('is 0 for a moment that has passed, and for a TTL of nothing', () => {
    expect(timeToLiveMs(CONFIG, { expiresAt: new Date(NOW_MS) }, NOW_MS, lowest)).toBe(0);
    expect(timeToLiveMs(CONFIG, { expiresAt: new Date(NOW_MS - 5) }, NOW_MS, lowest)).toBe(0);
    expect(timeToLiveMs({ ttlMs: 600_000, jitter: 0.5 }, { ttl: '0ms' }, NOW_MS, highest)).toBe(0);
  });

  it('is none for a date that is not one', () => {
    expect(() => timeToLiveMs(CONFIG, { expiresAt: new Date('soon') }, NOW_MS, lowest)).toThrow(
      'expiresAt is an invalid date.',
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { jsonCodec } from '../core/codec/json.codec.js';
import { resolveCacheConfig } from './cache-config.js';

describe('resolveCacheConfig', () => {
  it('fills in the defaults', () => {
    expect(resolveCacheConfig('products', {})).toEqual({
      name: 'products',
      ttlMs: 300_000,
      jitter: 0,
      codec: jsonCodec,
      deadlineMs: 50,
    });
  });

  it.each([
    [{ jitter: 1.5 }, "CacheModule: jitter of cache 'products' must lie between 0 and 1; it is 1.5."],
    [{ jitter: Number.NaN }, "CacheModule: jitter of cache 'products' must lie between 0 and 1; it is NaN."],
    [{ ttl: '0s' } as const, "CacheModule: ttl of cache 'products' must be a duration longer than nothing"],
    [{ ttl: 'soon' as '1s' }, "CacheModule: ttl of cache 'products' must be a duration longer than nothing"],
    [{ redisDeadline: '0ms' } as const, "CacheModule: redisDeadline of cache 'products' must be a duration"],
    [
      { redisDeadline: '30d' } as const,
      "redisDeadline of cache 'products' must be a duration longer than nothing and no",
    ],
  ])('refuses %j', (settings, message) => {
    expect(() => resolveCacheConfig('products', settings)).toThrow(message);
  });

  it('refuses a cache without a name', () => {
    expect(() => resolveCacheConfig('', {})).toThrow('CacheModule: the name of a cache must not be empty.');
  });
});

import { describe, expect, it } from '@jest/globals';
import { jsonCodec } from '../core/codec/json.codec.js';
import { structuredCodec } from '../core/codec/structured.codec.js';
import { ConfigurationError } from '../core/errors/configuration.error.js';
import { resolveCacheConfig } from './cache-config.js';
import type { CacheSettings } from './cache.options.js';
import { DEFAULT_POLICY } from './engine/policy.js';

const MEBIBYTE = 1024 * 1024;

describe('resolveCacheConfig', () => {
  it('fills in the defaults', () => {
    expect(resolveCacheConfig('products', {})).toEqual({
      name: 'products',
      policy: DEFAULT_POLICY,
      codec: jsonCodec,
      compressAbove: Infinity,
      deadlineMs: 50,
      leaseMs: 5_000,
      memory: null,
      scope: null,
    });
    expect(DEFAULT_POLICY).toMatchObject({
      ttl: 300_000,
      jitter: 0,
      failSafeMs: 0,
      throttleMs: 10_000,
      backoffMs: 500,
    });
  });

  it('takes what it is told', () => {
    const scope = (): string => 'tenant';
    const settings = {
      ttl: '1h',
      codec: structuredCodec,
      compressAbove: 1_000,
      redisDeadline: '20ms',
      lease: '30s',
      scope,
    } as const;
    expect(resolveCacheConfig('products', settings)).toMatchObject({
      policy: { ...DEFAULT_POLICY, ttl: 3_600_000 },
      codec: structuredCodec,
      compressAbove: 1_000,
      deadlineMs: 20,
      leaseMs: 30_000,
      scope,
    });
  });

  it('bounds a memory tier by entries and bytes where one is wanted', () => {
    const memory = (given: CacheSettings['memory'] & {}): unknown =>
      resolveCacheConfig('products', { memory: given }).memory;
    expect(memory(false)).toBeNull();
    expect(memory(true)).toEqual({ maxEntries: 10_000, maxBytes: 64 * MEBIBYTE, ttlMs: Infinity });
    expect(memory({ maxEntries: 5, maxBytes: 1_000, ttl: '2s' })).toEqual({
      maxEntries: 5,
      maxBytes: 1_000,
      ttlMs: 2_000,
    });
  });

  it.each<[CacheSettings, string]>([
    [{ jitter: 1.5 }, "CacheModule: jitter of cache 'products' must lie between 0 and 1; it is 1.5."],
    [{ jitter: NaN }, "CacheModule: jitter of cache 'products' must lie between 0 and 1; it is NaN."],
    [{ ttl: '0s' }, "CacheModule: ttl of cache 'products' must be a duration longer than nothing"],
    [{ ttl: 'soon' as '1s' }, "CacheModule: ttl of cache 'products' must be a duration longer than nothing"],
    [{ redisDeadline: '0ms' }, "CacheModule: redisDeadline of cache 'products' must be a duration"],
    [
      { redisDeadline: '30d' },
      "redisDeadline of cache 'products' must be a duration longer than nothing and no longer",
    ],
    [{ lease: '0s' }, "CacheModule: lease of cache 'products' must be a duration"],
    [{ compressAbove: -1 }, "CacheModule: compressAbove of cache 'products' must be a number of bytes; it is -1."],
    [{ compressAbove: NaN }, "CacheModule: compressAbove of cache 'products' must be a number of bytes; it is NaN."],
    [
      { memory: { maxEntries: 0 } },
      "CacheModule: memory.maxEntries of cache 'products' must be a whole number above 0",
    ],
    [{ memory: { maxBytes: 1.5 } }, "CacheModule: memory.maxBytes of cache 'products' must be a whole number above 0"],
    [{ memory: { ttl: '0s' } }, "CacheModule: memory.ttl of cache 'products' must be a duration longer than nothing"],
  ])('refuses %j', (settings, message) => {
    expect(() => resolveCacheConfig('products', settings)).toThrow(ConfigurationError);
    expect(() => resolveCacheConfig('products', settings)).toThrow(message);
  });

  it('refuses a cache without a name', () => {
    expect(() => resolveCacheConfig('', {})).toThrow('CacheModule: the name of a cache must not be empty.');
  });
});

import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import type { CacheResponseOptions } from './cache-response.options.js';
import { CacheResponse } from './cache-response.decorator.js';
import { resolveResponsePolicy } from './response-policy.js';

const policy = (options: CacheResponseOptions): ReturnType<typeof resolveResponsePolicy> =>
  resolveResponsePolicy(options, 'Products.list');

describe('resolveResponsePolicy', () => {
  it.each<[CacheResponseOptions, string]>([
    [{}, 'private, no-cache'],
    [{ maxAge: '90s' }, 'private, max-age=90'],
    [{ maxAge: '1500ms' }, 'private, max-age=1'],
    [{ shared: true }, 'public, no-cache'],
    [{ shared: true, maxAge: '1m' }, 'public, max-age=60'],
    [{ shared: true, sharedMaxAge: '1h' }, 'public, max-age=0, s-maxage=3600'],
    [{ shared: true, maxAge: '1m', sharedMaxAge: '1h' }, 'public, max-age=60, s-maxage=3600'],
  ])('of %j tells clients %j', (options, cacheControl) => {
    expect(policy(options).cacheControl).toBe(cacheControl);
  });

  it('lets clients that keep an answer tell the logged-in one from the other', () => {
    expect(policy({ maxAge: '1m', vary: ['Accept'] }).varySent).toEqual(['accept', 'authorization', 'cookie']);
    expect(policy({ vary: ['Accept'] }).varySent).toEqual(['accept']);
    expect(policy({ shared: true, maxAge: '1m' }).varySent).toEqual([]);
  });

  it.each<[CacheResponseOptions, string]>([
    [{ shared: true, per: () => 1 }, `'shared' and 'per'`],
    [{ sharedMaxAge: '1m' }, `'sharedMaxAge' needs 'shared: true'`],
    [{ ttl: 'soon' as '1s' }, 'ttl'],
    [{ staleWhileRevalidate: '0s' }, 'staleWhileRevalidate'],
    [{ maxAge: '0s' }, 'maxAge'],
    [{ jitter: 2 }, 'jitter'],
    [{ maxBytes: -1 }, 'maxBytes'],
    [{ maxBytes: NaN }, 'maxBytes'],
    [{ statuses: [200, 500] }, '500 is not to be cached'],
    [{ statuses: [206] }, '206 is not to be cached'],
    [{ vary: ['Cookie'] }, `vary must not hold 'cookie': who asks belongs into 'per'`],
    [{ vary: ['X-Api-Key'] }, `vary must not hold 'x-api-key'`],
    [{ vary: ['x-auth-token'] }, `vary must not hold 'x-auth-token'`],
    [{ vary: ['*'], headers: ['Set-Cookie'] }, 'set-cookie'],
    [{ vary: ['a b'] }, 'names of headers'],
    [{ headers: ['connection'] }, `headers must not hold 'connection'`],
  ])('refuses %j and says %j', (options, message) => {
    expect(() => policy(options)).toThrow(ConfigurationError);
    expect(() => policy(options)).toThrow(message);
    expect(() => policy(options)).toThrow('Products.list');
  });
});

describe('@CacheResponse', () => {
  it('refuses what is no method of an instance', () => {
    class Odd {
      static handler(): void {}
    }
    expect(() => CacheResponse()(Odd, 'handler', Object.getOwnPropertyDescriptor(Odd, 'handler')!)).toThrow(TypeError);
  });
});

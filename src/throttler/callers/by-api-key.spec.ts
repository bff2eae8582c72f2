import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { byApiKey } from './by-api-key.js';
import type { Caller } from '../../core/calls/caller.js';

const call = (headers: Caller['headers']): Caller =>
  ({ type: 'http', headers, remoteAddress: '192.0.2.1' }) as unknown as Caller;

describe('by API key', () => {
  it('goes by the digest of the key', () => {
    const digest = createHash('sha256').update('s3cret').digest('base64url');
    expect(byApiKey()(call({ 'x-api-key': 's3cret' }))).toEqual(['api-key', digest]);
    expect(byApiKey({ header: 'API-Token' })(call({ 'api-token': 's3cret' }))).toEqual(['api-key', digest]);
    expect(byApiKey()(call({ 'x-api-key': 'another' }))).not.toEqual(['api-key', digest]);
  });

  it('goes by the fallback without one', () => {
    for (const key of [undefined, '', ['a', 'b']]) {
      expect(byApiKey()(call({ 'x-api-key': key }))).toEqual(['ip', '192.0.2.1']);
      expect(byApiKey({ fallback: () => 'nobody' })(call({ 'x-api-key': key }))).toBe('nobody');
    }
  });

  it('refuses what no header can be called', () => {
    expect(() => byApiKey({ header: 'x api key' })).toThrow(ConfigurationError);
    expect(() => byApiKey({ header: '' })).toThrow(/^byApiKey: header /);
  });
});

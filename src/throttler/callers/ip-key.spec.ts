import { expect, it } from '@jest/globals';
import { RateLimitUsageError } from '../throttler.errors.js';
import { byIp } from './by-ip.js';
import type { Caller } from '../../core/calls/caller.js';
import { ipKey } from './ip-key.js';

it.each(['203.0.113.7', '::ffff:203.0.113.7', '2001:db8:1:2:3::4', '2001:DB8:1:2::', '[::1]:443', 'fe80::1%eth0'])(
  'gives the caller from %s the tracker that byIp does',
  async (address) => {
    for (const ipv6Prefix of [48, 64, 128]) {
      const caller = { type: 'http', remoteAddress: address, headers: {} } as Caller;
      expect(ipKey(address, { ipv6Prefix })).toEqual(await byIp({ ipv6Prefix })(caller));
    }
  },
);

it.each(['', 'localhost', '203.0.113', '2001:db8::/64'])('refuses %j without repeating it', (text) => {
  expect(() => ipKey(text)).toThrow(RateLimitUsageError);
});

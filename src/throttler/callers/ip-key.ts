import type { KeyParts } from '../../core/keys/key-part.js';
import { RateLimitUsageError } from '../throttler.errors.js';
import type { ByIpOptions } from './by-ip.js';
import { bareAddress, networkOf, parseAddress } from '../../core/calls/ip-address.js';

/**
 * The tracker of whoever calls from an address, as `byIp` with the same `ipv6Prefix` has it: for `RateLimiter`, where an operator looks at a client or
 * forgives one. Port, brackets and zone make no difference.
 *
 * @throws {RateLimitUsageError} for what is no address
 */
export function ipKey(address: string, { ipv6Prefix = 64 }: Pick<ByIpOptions, 'ipv6Prefix'> = {}): KeyParts {
  const bare = bareAddress(address);
  if (bare === undefined) throw new RateLimitUsageError('ipKey: this is no IP address.');
  return ['ip', networkOf(parseAddress(bare), ipv6Prefix)];
}

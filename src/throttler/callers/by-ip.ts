import { ClientAddresses, type ClientAddressOptions } from '../../core/calls/client-addresses.js';
import type { Caller } from '../../core/calls/caller.js';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import type { Tracker } from './tracker.js';

/** Options of {@link byIp}. */
export type ByIpOptions = ClientAddressOptions;

/**
 * Goes by the address that the request comes from: `['ip', address]`, and for IPv6 `['ip', network]`.
 *
 * - A header says nothing unless a trusted proxy has written it. It is read from its end, and the first address that is no trusted proxy is the
 *   caller; what stands before it may be made up.
 * - Where the header ends, or holds no address, the last proxy before that is the caller.
 * - IPv4 in the clothes of IPv6 (`::ffff:192.0.2.1`) is IPv4. Ports and zones make no difference.
 *
 * Throws `ConfigurationError` for options that cannot work. The tracker throws it for a call without an address, which would
 * share its counter with all others of that kind: one of a microservice, or by a unix socket that is not trusted.
 */
export function byIp(options: ByIpOptions = {}): Tracker {
  const addresses = new ClientAddresses(options, 'byIp');
  return (caller) => {
    const known = addresses.of(caller);
    if (known === undefined) throw withoutAddress(caller);
    return known.key;
  };
}

function withoutAddress({ type }: Caller): ConfigurationError {
  return new ConfigurationError(
    `byIp: this ${type} call has no address to go by. ` +
      (type === 'rpc'
        ? 'Give its policy a tracker that knows whose message it is.'
        : "If a proxy brings requests by a unix socket, name 'unix' in trustedProxies; if the GraphQL context has no request, put it there as 'req'; " +
          'else give the policy a tracker of another kind. A client that has left has no address either.'),
  );
}

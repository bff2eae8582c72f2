import { ConfigurationError } from '../errors/configuration.error.js';
import { AddressBook, type KnownAddress } from './address-book.js';
import type { Caller } from './caller.js';
import { headerName } from './header-name.js';
import { parseRange, type IpRange } from './ip-address.js';
import { isUnixSocket, nodeRequestOf, type AnyRequest } from './node-request.js';

/** Which proxies stand before the application, and how they say who called them. */
export interface ClientAddressOptions {
  /**
   * The proxies whose word counts: addresses, ranges such as `'10.0.0.0/8'`, and the names `'loopback'`, `'private'` (the private networks
   * of IPv4, and fc00::/7) and `'unix'` (whatever comes by a unix socket). Default: none, so that the header is never read.
   */
  readonly trustedProxies?: readonly string[];
  /** Where proxies write who called them, the last one at the end. Default `'x-forwarded-for'`. */
  readonly header?: string;
  /** How much of an IPv6 address is one caller: who has one address there has a network full of them. 1 to 128. Default 64. */
  readonly ipv6Prefix?: number;
}

/** Which ranges a name stands for. */
const NAMED: ReadonlyMap<string, readonly string[]> = new Map([
  ['loopback', ['127.0.0.0/8', '::1']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']],
  ['unix', []],
]);

/** So much of the header is considered, from its end. */
const LONGEST_HEADER = 2_000;
const MOST_HOPS = 50;

const UNIX: KnownAddress = { isTrusted: true, key: ['ip', 'unix'] };

/** What is read of a call to tell where it comes from. */
type AddressedCall = Pick<Caller, 'type' | 'request' | 'headers' | 'remoteAddress'>;

/**
 * Tells the address that a call comes from.
 *
 * - A header says nothing unless a trusted proxy has written it. It is read from its end, and the first address that is no trusted proxy is the
 *   caller; what stands before it may be made up.
 * - Where the header ends, or holds no address, the last proxy before that is the caller.
 * - IPv4 in the clothes of IPv6 (`::ffff:192.0.2.1`) is IPv4. Ports and zones make no difference.
 */
export class ClientAddresses {
  readonly #book: AddressBook;
  readonly #header: string;
  readonly #trustsUnix: boolean;

  /**
   * @param owner whose options they are, for messages
   * @throws {ConfigurationError} for options that cannot work
   */
  constructor(options: ClientAddressOptions, owner: string) {
    const { trustedProxies = [], ipv6Prefix = 64 } = options;
    this.#header = listHeader(options.header ?? 'x-forwarded-for', owner);
    if (!Number.isInteger(ipv6Prefix) || ipv6Prefix < 1 || ipv6Prefix > 128) {
      throw new ConfigurationError(`${owner}: ipv6Prefix must be a whole number from 1 to 128; it is ${ipv6Prefix}.`);
    }
    this.#book = new AddressBook(trustedRanges(trustedProxies, owner), ipv6Prefix);
    this.#trustsUnix = trustedProxies.includes('unix');
  }

  /** Undefined for a call without an address: one of a microservice, by a unix socket that is not trusted, or of a client that has left. */
  of(call: AddressedCall): KnownAddress | undefined {
    const peer = peerOf(call, this.#book, this.#trustsUnix);
    if (peer?.isTrusted !== true) return peer;
    const hops = call.headers[this.#header];
    if (hops === undefined) return peer;
    return firstUntrusted(peer, typeof hops === 'string' ? hops : hops.join(','), this.#book);
  }
}

/** The other end of the connection. */
function peerOf(
  { remoteAddress, request, type }: AddressedCall,
  book: AddressBook,
  trustsUnix: boolean,
): KnownAddress | undefined {
  if (remoteAddress !== undefined) return book.find(remoteAddress);
  if (trustsUnix && (type === 'http' || type === 'graphql') && request !== undefined) {
    if (isUnixSocket(nodeRequestOf(request as AnyRequest).socket)) return UNIX;
  }
  return undefined;
}

/** Walks from proxy to proxy for as long as each is trusted. */
function firstUntrusted(peer: KnownAddress, hops: string, book: AddressBook): KnownAddress {
  const first = hops.length - LONGEST_HEADER;
  let known = peer;
  let end = hops.length;
  for (let hop = 0; hop < MOST_HOPS && known.isTrusted && end > 0; hop++) {
    const comma = hops.lastIndexOf(',', end - 1);
    if (comma + 1 < first) break;
    const next = book.find(hops.slice(comma + 1, end).trim());
    if (next === undefined) break;
    known = next;
    end = comma;
  }
  return known;
}

function listHeader(header: string, owner: string): string {
  const name = headerName(header, `${owner}: header`);
  if (name !== 'forwarded') return name;
  throw new ConfigurationError(
    `${owner}: header must be one that lists addresses, and 'forwarded' has a syntax of its own. Have the proxy send X-Forwarded-For.`,
  );
}

function trustedRanges(proxies: unknown, owner: string): IpRange[] {
  if (!Array.isArray(proxies)) {
    throw new ConfigurationError(`${owner}: trustedProxies must be a list, such as ['loopback', '10.0.0.0/8'].`);
  }
  return proxies.flatMap((proxy: unknown) =>
    (NAMED.get(proxy as string) ?? [proxy]).map((range) => trustedRange(range, owner)),
  );
}

function trustedRange(proxy: unknown, owner: string): IpRange {
  const range = typeof proxy === 'string' ? parseRange(proxy) : undefined;
  if (range !== undefined) return range;
  throw new ConfigurationError(
    `${owner}: trustedProxies must hold addresses, ranges such as '10.0.0.0/8', 'loopback', 'private' or 'unix'; it holds '${String(proxy)}'.`,
  );
}

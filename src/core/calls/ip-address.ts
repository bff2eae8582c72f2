import { isIP, isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An address, parsed. IPv4 that is mapped into IPv6 is IPv4, and there is no zone. */
export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** All addresses that begin as this one does, with so many bits. */
export type IpRange = readonly [address: IpAddress, bits: number];

/** The longest address, in brackets and with a port, and room for the zone. */
const LONGEST = 128;
const WITH_PORT = /^(?:([\d.]+)|\[([^[\]]+)\])(?::\d{1,5})?$/;
const MAPPED_BITS = 96;

/** The address in what a socket or a proxy calls one, without port, brackets and zone; undefined when it is none. */
export function bareAddress(text: string): string | undefined {
  if (text.length > LONGEST) return undefined;
  if (isIPv4(text)) return text;
  const [, v4, bracketed] = WITH_PORT.exec(text) ?? [];
  if (v4 !== undefined) return isIPv4(v4) ? v4 : undefined;
  const v6 = bracketed ?? text;
  const zone = v6.indexOf('%');
  const bare = zone < 0 ? v6 : v6.slice(0, zone);
  return isIPv6(bare) ? bare : undefined;
}

/** Parses what {@link bareAddress} has let through: the parser alone takes `10` and `0x7f.1` for addresses too. */
export function parseAddress(bare: string): IpAddress {
  return ipaddr.process(bare);
}

/** The range of an address (itself alone) or of CIDR notation; undefined when it is neither. */
export function parseRange(text: string): IpRange | undefined {
  const [bare = '', bits, ...rest] = text.split('/');
  const version = isIP(bare);
  if (version === 0 || bare.includes('%') || rest.length > 0) return undefined;
  const address = parseAddress(bare);
  const size = address.kind() === 'ipv4' ? 32 : 128;
  if (bits === undefined) return [address, size];
  if (!/^\d{1,3}$/.test(bits)) return undefined;
  const mapped = version === 6 && size === 32;
  const length = mapped ? Number(bits) - MAPPED_BITS : Number(bits);
  return length >= 0 && length <= size ? [address, length] : undefined;
}

/** Whether the address lies in the range. */
export function isInRange(address: IpAddress, [first, bits]: IpRange): boolean {
  return address.kind() === first.kind() && address.match(first, bits);
}

/** The address as keys have it: all of IPv4, and of IPv6 the network of so many bits. */
export function networkOf(address: IpAddress, ipv6Prefix: number): string {
  if (!('parts' in address) || ipv6Prefix === 128) return address.toString();
  const parts = address.parts.map((part, index) => {
    const bits = Math.min(16, Math.max(0, ipv6Prefix - index * 16));
    return part & (0xffff << (16 - bits)) & 0xffff;
  });
  return `${new ipaddr.IPv6(parts).toString()}/${ipv6Prefix}`;
}

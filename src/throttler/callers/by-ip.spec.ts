import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { byIp, type ByIpOptions } from './by-ip.js';
import type { Caller } from '../../core/calls/caller.js';

function call(remoteAddress: string | undefined, forwarded?: string | string[], more: Partial<Caller> = {}): Caller {
  const headers = { 'x-forwarded-for': forwarded };
  const request = { headers, socket: { remoteAddress } };
  return { type: 'http', request, headers, remoteAddress, ...more } as Caller;
}

function ipOf(options: ByIpOptions, remoteAddress: string | undefined, forwarded?: string | string[]): unknown {
  const parts = byIp(options)(call(remoteAddress, forwarded)) as [string, string];
  expect(parts[0]).toBe('ip');
  return parts[1];
}

const behind = { trustedProxies: ['10.0.0.0/8', 'loopback'] };

describe('without trusted proxies', () => {
  it('the address of the connection counts, whatever a header says', () => {
    expect(byIp()(call('192.0.2.1'))).toEqual(['ip', '192.0.2.1']);
    expect(byIp()(call('192.0.2.1', '198.51.100.7'))).toEqual(['ip', '192.0.2.1']);
  });

  it('IPv4 in the clothes of IPv6 is IPv4, and no two clients share a counter', () => {
    for (const text of ['::ffff:192.0.2.1', '::FFFF:c000:0201', '0:0:0:0:0:ffff:192.0.2.1']) {
      expect(ipOf({}, text)).toBe('192.0.2.1');
    }
    expect(ipOf({}, '::ffff:192.0.2.2')).toBe('192.0.2.2');
  });
});

describe('a network of IPv6', () => {
  it('of 64 bits is one caller', () => {
    const same = ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:0DB8:0001:0002:0:0:0:9'];
    for (const text of same) expect(ipOf({}, text)).toBe('2001:db8:1:2::/64');
    expect(ipOf({}, '2001:db8:1:3::1')).toBe('2001:db8:1:3::/64');
  });

  it.each([
    [1, '8000::/1'],
    [16, 'abcd::/16'],
    [48, 'abcd:ef01:2345::/48'],
    [56, 'abcd:ef01:2345:6700::/56'],
    [127, 'abcd:ef01:2345:6789:abcd:ef01:2345:6788/127'],
    [128, 'abcd:ef01:2345:6789:abcd:ef01:2345:6789'],
  ])('may have %i bits', (ipv6Prefix, expected) => {
    expect(ipOf({ ipv6Prefix }, 'abcd:ef01:2345:6789:abcd:ef01:2345:6789')).toBe(expected);
    expect(ipOf({ ipv6Prefix }, '::ffff:192.0.2.1')).toBe('192.0.2.1');
  });

  it('has no zone', () => {
    expect(ipOf({ ipv6Prefix: 128 }, 'fe80::1%eth0.100')).toBe('fe80::1');
    expect(ipOf({ ipv6Prefix: 128 }, 'fe80::1%br-lan')).toBe('fe80::1');
  });
});

describe('behind trusted proxies', () => {
  it('the last address that is none of them is the caller', () => {
    expect(ipOf(behind, '10.0.0.1', '198.51.100.7')).toBe('198.51.100.7');
    expect(ipOf(behind, '10.0.0.1', '198.51.100.7, 10.2.2.2,127.0.0.1')).toBe('198.51.100.7');
    expect(ipOf(behind, '::ffff:10.0.0.1', '2001:db8::5')).toBe('2001:db8::/64');
    expect(ipOf(behind, '::1', ['203.0.113.9', '198.51.100.7, 10.2.2.2'])).toBe('198.51.100.7');
  });

  it('what the caller has made up stands before its address and changes nothing', () => {
    for (const made of ['1.1.1.1', '10.0.0.1', '127.0.0.1, 10.0.0.1', 'nonsense', ',,,', '"><script>']) {
      expect(ipOf(behind, '10.0.0.1', `${made}, 198.51.100.7`)).toBe('198.51.100.7');
      expect(ipOf(behind, '10.0.0.1', `${made}, 198.51.100.7, 10.3.3.3`)).toBe('198.51.100.7');
    }
  });

  it('the header of a stranger changes nothing', () => {
    expect(ipOf(behind, '192.0.2.1', '198.51.100.7')).toBe('192.0.2.1');
    expect(ipOf(behind, '11.0.0.1', '10.0.0.1')).toBe('11.0.0.1');
  });

  it('the first proxy is the caller where all are trusted, and the nearest where there is no header', () => {
    expect(ipOf(behind, '10.0.0.1', '10.9.9.9, 10.8.8.8')).toBe('10.9.9.9');
    expect(ipOf(behind, '10.0.0.1')).toBe('10.0.0.1');
  });

  it.each([
    '',
    ' ',
    'unknown',
    '_hidden',
    '1.2.3',
    '0x7f.1',
    '010.0.0.1',
    '3232235777',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.4%x',
    '[1.2.3',
    '[::1',
    '1.2.3.4:port',
    '1::2::3',
    'x'.repeat(500),
  ])('the walk ends at %j, with the last address before it', (garbage) => {
    expect(ipOf(behind, '10.0.0.1', garbage)).toBe('10.0.0.1');
    expect(ipOf(behind, '10.0.0.1', `198.51.100.7, ${garbage}`)).toBe('10.0.0.1');
    expect(ipOf(behind, '10.0.0.1', `198.51.100.7, ${garbage}, 10.2.2.2`)).toBe('10.2.2.2');
  });

  it('ports, brackets and zones make no difference', () => {
    expect(ipOf(behind, '10.0.0.1', '198.51.100.7:567, 10.0.0.9:80')).toBe('198.51.100.7');
    const exact = { ...behind, ipv6Prefix: 128 };
    for (const text of ['[2001:db8::5]:567', '[2001:db8::5]', '2001:db8::5', '2001:db8::5%eth0']) {
      expect(ipOf(exact, '10.0.0.1', text)).toBe('2001:db8::5');
    }
    expect(ipOf(exact, '10.0.0.1', '198.51.100.7, [::1]:567')).toBe('198.51.100.7');
    expect(ipOf(exact, '10.0.0.1', '[::ffff:198.51.100.7]:9')).toBe('198.51.100.7');
  });

  it('another header may be the one, and then no other is', () => {
    const tracker = byIp({ ...behind, header: 'CF-Connecting-IP' });
    const headers = { 'cf-connecting-ip': '198.51.100.7', 'x-forwarded-for': '1.1.1.1' };
    expect(tracker(call('10.0.0.1', undefined, { headers }))).toEqual(['ip', '198.51.100.7']);
  });

  it('fifty hops are looked at', () => {
    const hops = (count: number) => Array.from({ length: count }, (_, hop) => `10.1.1.${hop}`).reverse();
    expect(ipOf(behind, '10.0.0.1', ['198.51.100.7', ...hops(49)].join(', '))).toBe('198.51.100.7');
    expect(ipOf(behind, '10.0.0.1', ['198.51.100.7', ...hops(50)].join(', '))).toBe('10.1.1.49');
  });

  it('the last 2,000 characters are looked at, and no address that they cut in two', () => {
    const padded = (length: number) => `${' '.repeat(length - '10.1.1.1'.length)}10.1.1.1`;
    expect(ipOf(behind, '10.0.0.1', `198.51.100.7,${padded(1_900)}`)).toBe('198.51.100.7');
    expect(ipOf(behind, '10.0.0.1', `198.51.100.7,${padded(1_990)}`)).toBe('10.1.1.1');
    expect(ipOf(behind, '10.0.0.1', `${'1.1.1.1,'.repeat(5_000)}198.51.100.7`)).toBe('198.51.100.7');
  });

  it('an address that was met before is read the same', () => {
    const tracker = byIp(behind);
    const first = tracker(call('10.0.0.1', '198.51.100.7:1'));
    expect(tracker(call('10.0.0.1', '198.51.100.7:2'))).toBe(first);
    expect(tracker(call('198.51.100.7'))).toBe(first);
    expect(tracker(call('10.0.0.1'))).toEqual(['ip', '10.0.0.1']);
  });
});

describe('trusted proxies', () => {
  const trusts = (proxy: string, address: string) =>
    ipOf({ trustedProxies: [proxy] }, address, '198.51.100.7') === '198.51.100.7';

  it.each([
    ['loopback', ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'], ['10.0.0.1', '::2', '128.0.0.1']],
    [
      'private',
      ['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fdff::1'],
      ['172.32.0.1', '172.15.0.1', '192.169.0.1', '127.0.0.1', 'fe00::1', '100.64.0.1', '169.254.0.1'],
    ],
    ['192.0.2.8', ['192.0.2.8', '::ffff:192.0.2.8'], ['192.0.2.9']],
    ['192.0.2.0/29', ['192.0.2.0', '192.0.2.7'], ['192.0.2.8']],
    ['0.0.0.0/0', ['192.0.2.8'], ['::2']],
    ['2001:db8::/33', ['2001:db8:7fff::1'], ['2001:db8:8000::1', '192.0.2.1']],
    ['::ffff:192.0.2.0/125', ['192.0.2.7'], ['192.0.2.8']],
    ['::ffff:192.0.2.8', ['192.0.2.8'], ['192.0.2.9']],
  ])('may be %s', (proxy, inside, outside) => {
    for (const address of inside) expect([address, trusts(proxy, address)]).toEqual([address, true]);
    for (const address of outside) expect([address, trusts(proxy, address)]).toEqual([address, false]);
  });
});

describe('a call without an address', () => {
  const unix = { trustedProxies: ['unix', '10.0.0.0/8'] };

  it('is an error that says what to do', () => {
    expect(() => byIp()(call(undefined, '1.1.1.1'))).toThrow(ConfigurationError);
    expect(() => byIp()(call(undefined))).toThrow(/'unix' in trustedProxies/);
    expect(() => byIp()(call('the fake of a test'))).toThrow(ConfigurationError);
    expect(() => byIp(unix)(call(undefined, undefined, { type: 'rpc' }))).toThrow(/rpc.*tracker/);
    expect(() => byIp(unix)(call(undefined, undefined, { type: 'graphql', request: undefined }))).toThrow(/'req'/);
  });

  it('comes by a unix socket, where that is trusted', () => {
    expect(ipOf(unix, undefined, '198.51.100.7')).toBe('198.51.100.7');
    expect(ipOf(unix, undefined, '198.51.100.7, 10.0.0.1')).toBe('198.51.100.7');
    expect(ipOf(unix, undefined)).toBe('unix');
    expect(ipOf(unix, '192.0.2.1', '198.51.100.7')).toBe('192.0.2.1');
  });

  it('is no proxy when its client has just left', () => {
    for (const socket of [{ destroyed: true }, { destroyed: false, localAddress: '192.0.2.200' }]) {
      expect(() => byIp(unix)(call(undefined, '1.1.1.1', { request: { socket } }))).toThrow(/has left/);
    }
  });
});

describe('options that cannot work', () => {
  it.each<[string, unknown]>([
    ['ipv6Prefix', { ipv6Prefix: 0 }],
    ['ipv6Prefix', { ipv6Prefix: 129 }],
    ['ipv6Prefix', { ipv6Prefix: 63.5 }],
    ['ipv6Prefix', { ipv6Prefix: '64' }],
    ['header', { header: '' }],
    ['header', { header: 'x forwarded' }],
    ['header', { header: 7 }],
    ['header', { header: 'Forwarded' }],
    ['trustedProxies', { trustedProxies: 'loopback' }],
    ...[
      '',
      'localhost',
      '10.0.0.0/33',
      '10.0.0.0/',
      '10/8',
      '10.0.0.0/8/8',
      '::/129',
      '::ffff:10.0.0.0/8',
      'fe80::1%eth0',
      7,
    ].map((proxy): [string, unknown] => ['trustedProxies', { trustedProxies: [proxy] }]),
  ])('%s: %j', (option, options) => {
    expect(() => byIp(options as ByIpOptions)).toThrow(ConfigurationError);
    expect(() => byIp(options as ByIpOptions)).toThrow(new RegExp(`^byIp: ${option} `));
  });
});

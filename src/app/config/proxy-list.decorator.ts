import { ValidateBy } from 'class-validator';
import { byIp } from 'rookery/throttler';

/** The proxies of a list that is written with commas. */
export function proxiesIn(list: string): readonly string[] {
  return list.split(',').map((proxy) => proxy.trim());
}

/** The text lists proxies that `byIp` can trust. */
export function IsProxyList(): PropertyDecorator {
  return ValidateBy({
    name: 'isProxyList',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && canBeTrusted(proxiesIn(value)),
      defaultMessage: () =>
        'must list addresses, ranges such as 10.0.0.0/8, loopback or private, with commas between them',
    },
  });
}

function canBeTrusted(trustedProxies: readonly string[]): boolean {
  try {
    byIp({ trustedProxies });
    return true;
  } catch {
    return false;
  }
}

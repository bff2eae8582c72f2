import { durationOption } from '../../core/time/duration-option.js';
import type { Duration } from '../../core/time/duration.js';
import { markRecentLogin } from './route-metadata.js';

/**
 * `SessionGuard` admits to these handlers only who has logged in within that time: for changes of the password, the address or the payment, and for
 * ending sessions. Others are to log in once more, and are told 403 with code `recent-login-required`. The guard has to be bound.
 *
 * @throws {ConfigurationError} for what is no duration
 */
export function RecentLogin(within: Duration): ClassDecorator & MethodDecorator {
  const withinMs = durationOption(within, '@RecentLogin');
  return (target: object, _key?: string | symbol, descriptor?: PropertyDescriptor) => {
    markRecentLogin((descriptor?.value as object | undefined) ?? target, withinMs);
  };
}

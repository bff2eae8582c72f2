import { byIp } from './by-ip.js';
import { digestOf } from './digest.js';
import { headerName } from '../../core/calls/header-name.js';
import type { Tracker } from './tracker.js';

/** Options of {@link byApiKey}. */
export interface ByApiKeyOptions {
  /** Default `'x-api-key'`. */
  readonly header?: string;
  /** Whose counter it is when there is no key. Default `byIp()`. */
  readonly fallback?: Tracker;
}

/**
 * Goes by the API key that the request bears: `['api-key', digest]`, never the key itself. Without one, it goes by the fallback.
 *
 * For routes whose keys a guard has checked before: whoever may make keys up has a new counter with each.
 * Throws `ConfigurationError` for what no header can be called.
 */
export function byApiKey({ header = 'x-api-key', fallback = byIp() }: ByApiKeyOptions = {}): Tracker {
  const name = headerName(header, 'byApiKey: header');
  return (caller) => {
    const key = caller.headers[name];
    return typeof key === 'string' && key !== '' ? ['api-key', digestOf(key)] : fallback(caller);
  };
}

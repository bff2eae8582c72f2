import type { RateLimitPolicy } from 'rookery/throttler';
import { byAccount } from './by-account.js';

/** How much a client may ask for. */
export interface ClientLimits {
  /** Requests in any second. */
  readonly burst: number;
  /** Requests in any hour. */
  readonly sustained: number;
}

/** What one search takes of what a client may ask for: about the work of so many plain requests. Nobody's limits can be less. */
export const COST_OF_A_SEARCH = 5;

/** What limits a client, by its address, and tries at an account, wherever they come from. The first two apply everywhere; routes name the others. */
export function rateLimitPolicies({ burst, sustained }: ClientLimits): readonly RateLimitPolicy[] {
  return [
    { name: 'burst', limit: burst, window: '1s' },
    { name: 'sustained', limit: sustained, window: '1h' },
    { name: 'login', limit: 10, window: '5m', optIn: true },
    { name: 'account', limit: 20, window: '1h', optIn: true, tracker: byAccount },
    { name: 'checkout', rate: '10/m', burst: 10, optIn: true },
  ];
}

/** What a client is limited by, by their names. */
export const POLICY_NAMES: readonly string[] = ['burst', 'sustained', 'login', 'checkout'];

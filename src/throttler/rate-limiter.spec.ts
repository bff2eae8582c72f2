import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../core/errors/configuration.error.js';
import { PolicyRegistry } from './policies/policy-registry.js';
import { RateLimiter } from './rate-limiter.js';
import { RateLimitUsageError } from './throttler.errors.js';
import type { ThrottlerRuntime } from './throttler.runtime.js';

const names = Array.from({ length: 9 }, (_, i) => `policy-${i}`);
const policies = new PolicyRegistry(
  names.map((name) => ({ name, limit: 10, window: '1s' })),
  { tracker: () => '', whenRedisIsDown: 'local' },
  'app',
);
/** Without Redis: what is asked for cannot get so far. */
const limiter = new RateLimiter({ policies, limiter: {}, redis: {} } as ThrottlerRuntime);

describe('RateLimiter, before it asks Redis,', () => {
  it('refuses no policy at all, and more than eight', async () => {
    await expect(limiter.consume([], 'alice')).rejects.toThrow('A request is counted by 1 to 8 policies, not by 0.');
    await expect(limiter.consume(names, 'alice')).rejects.toThrow(RateLimitUsageError);
    await expect(limiter.peek(names, 'alice')).rejects.toThrow('1 to 8 policies, not by 9');
    await expect(limiter.reset(names, 'alice')).rejects.toThrow('1 to 8 policies, not by 9');
  });

  it('refuses a policy that is not there', async () => {
    await expect(limiter.consume('no-such', 'alice')).rejects.toThrow(ConfigurationError);
  });

  it.each([0, -1, 1.5, NaN, Infinity, 11, '1'])('refuses a cost of %s, whatever it is asked for', async (given) => {
    const options = { cost: given as number };
    for (const ask of [
      () => limiter.consume('policy-0', 'alice', options),
      () => limiter.peek('policy-0', 'alice', options),
      () => limiter.refund('policy-0', 'alice', options),
      () => limiter.penalize('policy-0', 'alice', options),
      () => limiter.run('policy-0', 'alice', () => Promise.resolve(), options),
    ]) {
      await expect(ask()).rejects.toThrow(RateLimitUsageError);
    }
  });

  it.each(['0s', '1', 60, undefined])('refuses a block of %s', async (duration) => {
    await expect(limiter.block('alice', duration as never)).rejects.toThrow('The duration of a block must be');
  });
});

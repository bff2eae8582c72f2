import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../errors/configuration.error.js';
import { durationOption, timerOption } from './duration-option.js';

describe.each([durationOption, timerOption])('%p', (read) => {
  it('gives milliseconds', () => {
    expect(read('1ms', 'CacheModule: ttl')).toBe(1);
    expect(read('24d', 'CacheModule: ttl')).toBe(24 * 86_400_000);
  });

  it.each(['0s', '', '5', '-1s', 'soon', 900])('refuses %j, names the option and says what it may be', (value) => {
    const call = (): number => read(value as '1s', 'CacheModule: ttl');
    expect(call).toThrow(ConfigurationError);
    expect(call).toThrow(/^CacheModule: ttl must be a duration longer than nothing.*'15m'\.$/);
  });
});

it('admits more than a timer can keep only where no timer keeps it', () => {
  expect(durationOption('365d', 'ttl')).toBe(365 * 86_400_000);
  expect(timerOption('2147483647ms', 'deadline')).toBe(2_147_483_647);
  expect(() => timerOption('2147483648ms', 'deadline')).toThrow("no longer than '24d'");
});

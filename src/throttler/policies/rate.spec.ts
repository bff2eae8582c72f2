import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { parseRate } from './rate.js';

describe('parseRate', () => {
  it.each([
    ['10/s', 10, 1_000_000],
    ['1/m', 1, 60_000_000],
    ['3/h', 3, 3_600_000_000],
    ['5/d', 5, 86_400_000_000],
    ['100/15m', 100, 900_000_000],
    ['1/1ms', 1, 1_000],
    ['1/0.5s', 1, 500_000],
    ['1000000000/366d', 1_000_000_000, 366 * 86_400_000_000],
  ])('reads %s', (rate, units, periodUs) => {
    expect(parseRate(rate, 'rate')).toEqual({ units, periodUs });
  });

  it.each(
    [
      ['', '10', '/s', '10/', '10/ms', '10/w', '10/-1s', '10 / s', '10/s ', '10/s\n', 's/10'],
      [
        '0/s',
        '-1/s',
        '1.5/s',
        '1e3/s',
        '+1/s',
        '0x10/s',
        'NaN/s',
        'Infinity/s',
        '1000000001/s',
        `${'9'.repeat(400)}/s`,
      ],
      ['10/0ms', '10/0s', '10/0.5ms', '10/367d', `10/${'9'.repeat(400)}d`, '10/s/s', '١/s'],
    ].flat(),
  )('refuses %j, naming the option and what to write', (rate) => {
    const read = (): unknown => parseRate(rate, "ThrottlerModule: rate of policy 'a'");
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(
      "ThrottlerModule: rate of policy 'a' must be so many units in so long a time, such as '10/s' or '100/15m'.",
    );
  });

  it.each([undefined, null, 10, ['10/s'], { units: 10 }])('refuses %j, which is no text', (rate) => {
    expect(() => parseRate(rate as never, 'rate')).toThrow(ConfigurationError);
  });
});

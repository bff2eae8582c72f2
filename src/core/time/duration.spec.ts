import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RookeryError } from '../errors/rookery-error.js';
import { InvalidDurationError } from './duration.errors.js';
import { durationMs, type Duration } from './duration.js';

const parse = (value: unknown): number => durationMs(value as Duration);

describe('durationMs', () => {
  it.each([
    ['0ms', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['1.5s', 1_500],
    ['0.25h', 900_000],
    ['9007199254740991ms', Number.MAX_SAFE_INTEGER],
  ] satisfies [Duration, number][])('reads %s as %d ms', (duration, ms) => {
    expect(durationMs(duration)).toBe(ms);
  });

  it('is exact where floating point is not', () => {
    expect(1.005 * 1000).not.toBe(1005);
    expect(durationMs('1.005s')).toBe(1005);
  });

  it('agrees with integer arithmetic for every unit', () => {
    const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
    fc.assert(
      fc.property(fc.nat(100_000_000), fc.constantFrom(...(['ms', 's', 'm', 'h', 'd'] as const)), (count, unit) => {
        expect(durationMs(`${count}${unit}`)).toBe(count * units[unit]);
      }),
    );
  });

  it.each([
    900,
    900n,
    NaN,
    null,
    undefined,
    {},
    ['30s'],
    '',
    's',
    '900',
    '-1s',
    '+1s',
    '1e3s',
    '0x10s',
    ' 1s',
    '1 s',
    '1s ',
    '1s\n',
    '1S',
    '1w',
    '1.s',
    '.5s',
    '1_000ms',
    '1s30ms',
    'NaNs',
    'Infinityms',
    '٣s',
    '0.5ms',
    '1.0001s',
    '9007199254740992ms',
    '9007199254740991s',
    `${'9'.repeat(1_000_000)}ms`,
  ])('refuses %p', (value) => {
    expect(() => parse(value)).toThrow(InvalidDurationError);
  });

  it('names the bad value, shortened, and shows good ones', () => {
    expect(() => parse('900')).toThrow(/'900' is not a duration.*'250ms', '30s'/);
    expect(() => parse(900)).toThrow(/The number 900 is not a duration/);
    expect(() => parse('0.5ms')).toThrow(/whole number of milliseconds/);
    expect(() => parse('9'.repeat(10_000))).toThrow(/^'9{40}…' is not a duration/);
  });

  it('throws an error with a stable code', () => {
    const error = new InvalidDurationError('');
    expect(error).toBeInstanceOf(RookeryError);
    expect(error.code).toBe('ROOKERY_INVALID_DURATION');
  });

  it('does not compile without a unit', () => {
    // @ts-expect-error seconds or milliseconds?
    expect(() => durationMs(900)).toThrow(InvalidDurationError);
    // @ts-expect-error seconds or milliseconds?
    expect(() => durationMs('900')).toThrow(InvalidDurationError);
    // @ts-expect-error no such unit
    expect(() => durationMs('2w')).toThrow(InvalidDurationError);
  });
});

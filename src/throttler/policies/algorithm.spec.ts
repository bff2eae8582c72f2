import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { algorithmOf, KIND } from './algorithm.js';
import { PolicyRegistry } from './policy-registry.js';

const DEFAULTS = { tracker: () => '', whenRedisIsDown: 'local' } as const;

/** Options as a caller from JavaScript may give them. */
type Loose = Readonly<Record<string, unknown>>;

const algorithm = (options: Loose) => algorithmOf(options as never, (option) => option);
const register = (...policies: readonly Loose[]): PolicyRegistry =>
  new PolicyRegistry(policies as never, DEFAULTS, 'app');

const WINDOW = { name: 'a', limit: 10, window: '1s' };
const RATE = { name: 'a', rate: '10/s', burst: 5 };
const BUCKET = { name: 'a', capacity: 10, refill: '5/s' };
const SLOTS = { name: 'a', concurrent: 3 };

describe('The algorithm of a policy', () => {
  it.each([
    ['a sliding window, unless it is told another', WINDOW, { kind: KIND.window, a: 1_000_000 }],
    ['a log', { ...WINDOW, algorithm: 'sliding-log' }, { kind: KIND.log, a: 1_000_000 }],
    ['a fixed window', { ...WINDOW, algorithm: 'fixed-window' }, { kind: KIND.fixed, a: 1_000_000 }],
    ['a counter', { ...WINDOW, algorithm: 'sliding-counter' }, { kind: KIND.counter, a: 1_000_000 }],
    [
      'GCRA, its interval in lowest terms',
      { ...RATE, rate: '30/m' },
      { kind: KIND.gcra, limit: 5, a: 2_000_000, b: 1 },
    ],
    ['GCRA whose interval is no whole number', { ...RATE, rate: '7/s' }, { kind: KIND.gcra, a: 1_000_000, b: 7 }],
    ['a bucket', BUCKET, { kind: KIND.bucket, limit: 10, a: 1_000_000, b: 5 }],
    ['slots, with a lease of 30 seconds', SLOTS, { kind: KIND.concurrency, limit: 3, a: 30_000_000 }],
    ['slots, with a lease of their own', { ...SLOTS, lease: '2s' }, { kind: KIND.concurrency, a: 2_000_000 }],
  ])('is %s', (_, options, expected) => {
    expect(algorithm(options)).toMatchObject(expected);
  });

  it('says in how many seconds its limit is meant, rounded up', () => {
    const seconds = (options: Loose, limit = 10): number | undefined => algorithm(options).windowSeconds?.(limit);
    expect(seconds({ ...WINDOW, window: '1001ms' })).toBe(2);
    expect(seconds({ ...RATE, rate: '3/s' })).toBe(4);
    expect(seconds({ ...BUCKET, refill: '3/s' })).toBe(4);
    expect(algorithm(SLOTS).windowSeconds).toBeUndefined();
  });

  it('gives another key to what could not be read under other settings, and the same to points in time', () => {
    const shape = (options: Loose): string => algorithm(options).shape;
    expect(shape({ ...WINDOW, window: '2s' })).not.toBe(shape(WINDOW));
    expect(shape({ ...WINDOW, algorithm: 'fixed-window' })).not.toBe(
      shape({ ...WINDOW, algorithm: 'sliding-counter' }),
    );
    expect(shape({ ...BUCKET, refill: '5/2s' })).not.toBe(shape(BUCKET));
    expect(shape({ ...RATE, rate: '99/h' })).toBe(shape(RATE));
    expect(shape({ ...WINDOW, algorithm: 'sliding-log', window: '9s' })).toBe(
      shape({ ...WINDOW, algorithm: 'sliding-log' }),
    );
    for (const [options, limit] of [
      [WINDOW, 'limit'],
      [RATE, 'burst'],
      [BUCKET, 'capacity'],
      [SLOTS, 'concurrent'],
    ] as const) {
      expect(shape({ ...options, [limit]: 7 })).toBe(shape(options));
    }
  });

  it('counts no more than it can count exactly', () => {
    expect(algorithm({ ...WINDOW, limit: 1_000_000_000 }).mostUnits).toBe(1_000_000_000);
    const year = { ...WINDOW, window: '366d', algorithm: 'sliding-counter' };
    expect(() => algorithm({ ...year, limit: 1_000_000 })).toThrow(/^limit must be a whole number from 1 to 284,836;/);
    expect(() => algorithm({ ...RATE, rate: '1/366d', burst: 1_000 })).toThrow(
      /^burst must be a whole number from 1 to 71;/,
    );
  });

  it('takes no bucket that would be full again only beyond all numbers', () => {
    const { mostUnits } = algorithm({ ...BUCKET, refill: '1/366d', capacity: 1 });
    expect(mostUnits).toBe(71);
    expect(() => algorithm({ ...BUCKET, refill: '1/366d', capacity: 1_000_000_000 })).toThrow(/^capacity must be/);
    expect(algorithm({ ...BUCKET, refill: '1/s', capacity: 1_000_000_000 }).mostUnits).toBe(1_000_000_000);
  });
});

describe('Options that cannot work', () => {
  const wholeNumber = /must be a whole number from 1 to 1,000,000,000; it is /;
  const duration = /must be a duration longer than nothing, with its unit: '250ms', '30s', '15m'/;
  const rate = /must be so many units in so long a time, such as '10\/s' or '100\/15m'/;

  it.each<readonly [string, Loose, string, RegExp]>([
    ...[0, -1, 1.5, NaN, Infinity, '10', null, undefined, 1_000_000_001].flatMap((limit) => [
      [`a limit of ${String(limit)}`, { ...WINDOW, limit }, 'limit', wholeNumber] as const,
      [`a capacity of ${String(limit)}`, { ...BUCKET, capacity: limit }, 'capacity', wholeNumber] as const,
      [`${String(limit)} at once`, { ...SLOTS, concurrent: limit ?? -1 }, 'concurrent', wholeNumber] as const,
      [`a burst of ${String(limit)}`, { ...RATE, burst: limit }, 'burst', wholeNumber] as const,
    ]),
    ...['0ms', '0s', '0.5ms', '-1s', '1', '', 1_000, null, '1w'].flatMap((window) => [
      [`a window of ${JSON.stringify(window)}`, { ...WINDOW, window }, 'window', duration] as const,
      [`a lease of ${JSON.stringify(window)}`, { ...SLOTS, lease: window }, 'lease', duration] as const,
      [`blockFor ${JSON.stringify(window)}`, { ...WINDOW, blockFor: window }, 'blockFor', duration] as const,
    ]),
    ['a window of more than a year', { ...WINDOW, window: '367d' }, 'window', /must be no longer than '366d'/],
    ['a lease of less than a second', { ...SLOTS, lease: '999ms' }, 'lease', /must be from '1s' to '1h'/],
    ['a lease of more than an hour', { ...SLOTS, lease: '61m' }, 'lease', /must be from '1s' to '1h'/],
    ['an algorithm that is none', { ...WINDOW, algorithm: 'magic' }, 'algorithm', /must be one of sliding-window, fix/],
    ['an algorithm that every object has', { ...WINDOW, algorithm: 'toString' }, 'algorithm', /must be one of sliding/],
    ['a rate that is none', { ...RATE, rate: '10' }, 'rate', rate],
    ['a refill that is none', { ...BUCKET, refill: 10 }, 'refill', rate],
    ...[0, -1, 0.5, NaN, '2', null].map(
      (cost) =>
        [`a cost of ${String(cost)}`, { ...WINDOW, cost }, 'cost', /must be a whole number above 0; it is /] as const,
    ),
    [
      'a cost above the limit',
      { ...WINDOW, cost: 11 },
      'cost',
      /is 11 and the limit 10: no request could ever succeed/,
    ],
    ['a cost above the burst', { ...RATE, cost: 6 }, 'cost', /is 6 and the limit 5: no request could ever succeed/],
    ['no such mode', { ...WINDOW, whenRedisIsDown: 'open' }, 'whenRedisIsDown', /must be 'allow', 'deny' or 'local'/],
    ['nothing at all', { name: 'a' }, 'the policy', /must say what it limits: { limit, window }, { rate, burst }/],
    ['a window and a rate', { ...WINDOW, ...RATE }, 'the policy', /must say one thing: .* 'window' and 'rate'/],
    ['a limit, and no time', { name: 'a', limit: 10, window: undefined }, 'the policy', /must say what it limits/],
    ['slots and a refill', { ...SLOTS, ...BUCKET }, 'the policy', /must say one thing: .* 'refill' and 'concurrent'/],
    ['a burst of a window', { ...WINDOW, burst: 5 }, 'burst', /has no meaning beside 'window'/],
    [
      'a window algorithm of a rate',
      { ...RATE, algorithm: 'sliding-log' },
      'algorithm',
      /has no meaning beside 'rate'/,
    ],
  ])('are refused by name, with what to write instead: %s', (_, options, option, message) => {
    const boot = (): unknown => register(options);
    expect(boot).toThrow(ConfigurationError);
    expect(boot).toThrow(`ThrottlerModule: ${option} of policy 'a'`);
    expect(boot).toThrow(message);
  });

  it.each([
    ['empty', ''],
    ['not ASCII', 'größe'],
    ['of more than one line', 'a\nb'],
    ['ending in a new line', 'a\n'],
    ['too long', 'x'.repeat(65)],
    ['no text', 5],
    ['none', undefined],
  ])('are a name that is %s', (_, name) => {
    expect(() => register({ ...WINDOW, name })).toThrow(ConfigurationError);
    expect(() => register({ ...WINDOW, name })).toThrow(/a policy's name must be 1 to 64 printable ASCII characters/);
  });

  it('are two policies of one name', () => {
    expect(() => register(WINDOW, RATE)).toThrow(ConfigurationError);
    expect(() => register(WINDOW, RATE)).toThrow(/there are two policies named 'a'. Give each its own name/);
  });

  it('are the name of a policy that is not there', () => {
    const registry = register(WINDOW, { ...RATE, name: 'b' });
    expect(() => registry.get('c')).toThrow(ConfigurationError);
    expect(() => registry.get('c')).toThrow(/no rate limit policy 'c'; there are 'a', 'b'. Add it to 'policies'/);
    expect(() => register().get('c')).toThrow(/there are none/);
  });
});

describe('PolicyRegistry', () => {
  it('keeps policies that are named only where they are wanted apart from those that apply everywhere', () => {
    const registry = register(WINDOW, { ...RATE, name: 'b', optIn: true });
    expect(registry.everywhere.map(({ name }) => name)).toEqual(['a']);
    expect(registry.all().map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('keeps callers and policies apart by their keys, whatever they are called', () => {
    const names = ['a', 'a:b', 'b', 'block', '*', '{a}', ' ', '-'];
    const registry = register(...names.map((name) => ({ ...WINDOW, name })));
    const callers = ['u', 'u:a', ['u', 'a'], ['u:a'], 1, '1', '', '{u}'];
    const keys = callers.flatMap((caller) => {
      const callerKey = registry.callerKey(caller);
      return [callerKey, ...registry.all().map((policy) => registry.policyKey(policy, callerKey))];
    });
    // 'u:a' and ['u:a'] are one caller.
    expect(new Set(keys).size).toBe((callers.length - 1) * (names.length + 1));
  });

  it('takes one slot for a request, whatever it costs by other policies', () => {
    const slots = register(SLOTS).get('a');
    const unitsOf = (cost: number): number => register(SLOTS).use(slots, 'key', cost).definition.units;
    expect([unitsOf(1), unitsOf(5), unitsOf(-5)]).toEqual([1, 1, -1]);
    expect(() => unitsOf(NaN)).toThrow(/it asked for NaN/);
  });

  it('gives a limit that is a function its caller, and refuses what it should not have given', () => {
    const registry = register({ ...WINDOW, limit: (caller: unknown) => (caller === undefined ? 3 : 0) });
    const policy = registry.get('a');
    expect(registry.use(policy, 'key', 1).definition.limit).toBe(3);
    expect(() => registry.use(policy, 'key', 1, {} as never)).toThrow(
      "The limit of policy 'a' must be a whole number from 1 to 1000000000; its function gave 0.",
    );
    expect(() => registry.use(policy, 'key', 4)).toThrow(/can take from 1 to 3 units of policy 'a'; it asked for 4/);
  });
});

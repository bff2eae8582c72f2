/** What must and must not compile. Checked by `tsc` alone; nothing here runs. */
import {
  byApiKey,
  byIp,
  bySession,
  byUser,
  RateLimit,
  SkipRateLimit,
  ThrottlerModule,
  type Caller,
  type RateLimiter,
  type RateLimitPolicy,
  type RateLimitResult,
  type RoutePolicy,
  type ThrottlerModuleOptions,
  type Tracker,
} from 'rookery/throttler';

const anyPolicies: readonly RateLimitPolicy[] = [
  { name: 'window', limit: 100, window: '1m' },
  { name: 'log', limit: 100, window: '1m', algorithm: 'sliding-log' },
  { name: 'rate', rate: '10/s', burst: 20 },
  { name: 'slow', rate: '100/15m', burst: 20, blockFor: '1h' },
  { name: 'bucket', capacity: 100, refill: '10/1s' },
  { name: 'slots', concurrent: 5 },
  { name: 'lease', concurrent: 5, lease: '1m' },
  { name: 'tiers', limit: (caller) => (caller?.user === undefined ? 10 : 100), window: '1m' },
  { name: 'cost', limit: 100, window: '1m', cost: (caller) => (caller.type === 'http' ? 1 : 2) },
  { name: 'all', limit: 1, window: '1s', shadow: true, optIn: true, whenRedisIsDown: 'deny', skip: () => false },
];

const policy = { name: 'a', limit: 100, window: '1m' } as const;

const notPolicies: readonly RateLimitPolicy[] = [
  // @ts-expect-error -- a number is no duration: is it seconds or milliseconds?
  { name: 'a', limit: 100, window: 60 },
  // @ts-expect-error -- nor is a text without a unit
  { name: 'a', limit: 100, window: '60' },
  // @ts-expect-error -- or with one that is none
  { name: 'a', limit: 100, window: '1w' },
  // @ts-expect-error -- a window of what?
  { name: 'a', window: '1m' },
  // @ts-expect-error -- a limit in how long a time?
  { name: 'a', limit: 100 },
  // @ts-expect-error -- a rate needs its burst
  { name: 'a', rate: '10/s' },
  // @ts-expect-error -- a burst needs its rate
  { name: 'a', burst: 10 },
  // @ts-expect-error -- so many in which time?
  { name: 'a', rate: '10', burst: 10 },
  // @ts-expect-error -- a number is no rate
  { name: 'a', rate: 10, burst: 10 },
  // @ts-expect-error -- so many, in figures
  { name: 'a', rate: 'ten/s', burst: 10 },
  // @ts-expect-error -- a millisecond is written '1ms'
  { name: 'a', rate: '10/ms', burst: 10 },
  // @ts-expect-error -- a bucket needs to be refilled
  { name: 'a', capacity: 10 },
  // @ts-expect-error -- with something in some time
  { name: 'a', capacity: 10, refill: 10 },
  // @ts-expect-error -- a window or a rate?
  { name: 'a', limit: 100, window: '1m', rate: '10/s', burst: 20 },
  // @ts-expect-error -- an algorithm is one of windows
  { name: 'a', rate: '10/s', burst: 20, algorithm: 'fixed-window' },
  // @ts-expect-error -- there is no such algorithm
  { name: 'a', limit: 100, window: '1m', algorithm: 'leaky-bucket' },
  // @ts-expect-error -- whom is it to limit?
  { limit: 100, window: '1m' },
  // @ts-expect-error -- a limit is a number
  { name: 'a', limit: '100', window: '1m' },
  // @ts-expect-error -- or gives one
  { name: 'a', limit: () => '100', window: '1m' },
  // @ts-expect-error -- a number is no duration here, either
  { ...policy, blockFor: 900 },
  // @ts-expect-error -- there is nothing else to do without Redis
  { ...policy, whenRedisIsDown: 'throw' },
  // @ts-expect-error -- a lease is a duration
  { name: 'a', concurrent: 5, lease: 30 },
  // @ts-expect-error -- an option that does not exist
  { ...policy, ttl: '1m' },
  // @ts-expect-error -- a tracker is a function of the caller
  { ...policy, tracker: 'ip' },
  // @ts-expect-error -- a limit may be asked for without a caller
  { name: 'a', limit: (caller: Caller) => (caller.user === undefined ? 1 : 2), window: '1m' },
];

const routePolicies: readonly RoutePolicy[] = [
  { limit: 100, window: '1m' },
  { name: 'own', rate: '10/s', burst: 20 },
  // @ts-expect-error -- a policy of a route applies there and nowhere else
  { limit: 100, window: '1m', optIn: true },
];

const trackers: readonly Tracker[] = [
  byIp(),
  byIp({ trustedProxies: ['loopback'] }),
  byUser(),
  byApiKey(),
  bySession(),
  (caller) => ['tenant', caller.type],
  async () => 42,
  // @ts-expect-error -- which caller it is, is told by the caller
  (request: { readonly ip: string }) => request.ip,
];

export class Routes {
  @RateLimit('login')
  named(): void {
    // Never called.
  }

  @RateLimit('login', { cost: 2 })
  atACost(): void {
    // Never called.
  }

  @RateLimit({ limit: 100, window: '1m', cost: 5 })
  own(): void {
    // Never called.
  }

  @SkipRateLimit('burst')
  skipsOne(): void {
    // Never called.
  }

  // @ts-expect-error -- the cost of a policy of one's own stands in the policy
  @RateLimit({ limit: 100, window: '1m' }, { cost: 5 })
  ownAtACost(): void {
    // Never called.
  }

  // @ts-expect-error -- by which policy?
  @RateLimit()
  byNone(): void {
    // Never called.
  }

  // @ts-expect-error -- a number is no duration
  @RateLimit({ limit: 100, window: 60 })
  numericWindow(): void {
    // Never called.
  }
}

ThrottlerModule.forRoot({ policies: anyPolicies, headers: false, redisDeadline: '20ms', isGlobal: false });
ThrottlerModule.forRoot({ headers: { legacy: true } });

const notOptions: readonly ThrottlerModuleOptions[] = [
  // @ts-expect-error -- a number is no duration
  { redisDeadline: 50 },
  // @ts-expect-error -- which headers?
  { headers: true },
  // @ts-expect-error -- an option that does not exist
  { throttlers: [] },
  // @ts-expect-error -- an error is what is thrown
  { exception: () => 'no' },
];

export async function limits(limiter: RateLimiter): Promise<void> {
  const result: RateLimitResult = await limiter.consume('mails', ['account', 42], { cost: 2 });
  const one: number = await limiter.run(['mails', 'sms'], 42, async () => 1);
  const wasBlocked: boolean = await limiter.unblock('alice');
  void [result, one, wasBlocked];
  await limiter.block('alice', '1h');
  // @ts-expect-error -- for how long?
  await limiter.block('alice');
  // @ts-expect-error -- a number is no duration
  await limiter.block('alice', 3_600);
  // @ts-expect-error -- whose counter?
  await limiter.consume('mails');
  // @ts-expect-error -- an option that does not exist
  await limiter.consume('mails', 42, { units: 2 });
  // @ts-expect-error -- only policies of the module are known by name
  await limiter.consume({ limit: 1, window: '1s' }, 42);
  // @ts-expect-error -- what has been decided stands
  result.admitted = true;
  // @ts-expect-error -- counters are to be read
  limiter.counters.admitted = 0;
}

void [notPolicies, routePolicies, trackers, notOptions];

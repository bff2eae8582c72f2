import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import fc from 'fast-check';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import type { Rate, RoutePolicy } from '../../../src/throttler/policies/policy.options.js';
import { expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { SILENT } from '../redis/open-redis.js';
import { TimedCounter, termsOf, type TimedAnswer } from './timed-limits.js';

expectNoLeakedConnections();

/** How units come to be taken before the request that is refused. */
interface Past {
  readonly waitMs: number;
  readonly share: number;
  readonly isPenalty: boolean;
}

const limit = fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 200 }));
const window = fc.integer({ min: 500, max: 3_600_000 }).map((ms) => `${ms}ms` as const);
const rate = fc.oneof(
  fc.constantFrom<Rate[]>('7/s', '3/1s', '100/m', '1/h', '11/970ms'),
  // A unit comes in so many milliseconds and a hundredth of a microsecond, or a thirtieth.
  fc.constantFrom<Rate[]>('100000/5000001ms', '30000/3000001ms'),
  // So slow that no key is gone before it is held: a unit comes in 50 ms at least.
  fc
    .tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 50, max: 10_000 }))
    .map(([units, ms]): Rate => `${units}/${units * ms + 1}ms`),
);

/** As users write them: what the script is told is what the library makes of it. */
const POLICIES: readonly (readonly [string, fc.Arbitrary<RoutePolicy>])[] = [
  ['GCRA', fc.record({ rate, burst: limit })],
  ['the sliding window', fc.record({ limit, window })],
  ['the fixed window', fc.record({ limit, window, algorithm: fc.constant('fixed-window' as const) })],
  ['the sliding counter', fc.record({ limit, window, algorithm: fc.constant('sliding-counter' as const) })],
  ['the sliding log', fc.record({ limit, window, algorithm: fc.constant('sliding-log' as const) })],
  ['the token bucket', fc.record({ capacity: limit, refill: rate })],
];

const startUs = fc.integer({ min: 1_700_000_000_000_000, max: 2_000_000_000_000_000 });
/** Often so small that it comes to one unit. */
const share = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1_000 })).map((thousandths) => thousandths / 1_000);
const past = fc.array(
  fc.record<Past>({ waitMs: fc.oneof(fc.constant(0), fc.nat(400)), share, isPenalty: fc.boolean() }),
  { minLength: 1, maxLength: 8 },
);

describe('Whoever waits for as long as a refusal says', () => {
  const prefix = randomPrefix();
  let module: TestingModule;
  let redis: RedisConnection;
  let keys = 0;

  beforeAll(async () => {
    module = await Test.createTestingModule({ imports: [RedisModule.forRoot(sharedRedis('standalone'))] })
      .setLogger(SILENT)
      .compile();
    await module.init();
    redis = module.get(RedisConnections, { strict: false }).get();
    // Teaches the server the script first: a call that has to be sent again is overtaken by what was sent with it in one turn.
    await counterOf({ limit: 1, window: '1h' }).consume(1_700_000_000_000_000, 1);
  });
  afterAll(() => module.close());

  /** A new caller's counter by a policy. */
  function counterOf(policy: RoutePolicy) {
    const counter = new TimedCounter(redis, `${prefix}:{${++keys}}`);
    return {
      limit: termsOf(policy).limit,
      consume: (nowUs: number, units: number) => counter.consume(policy, nowUs, units),
      penalize: (nowUs: number, units: number) => counter.penalize(policy, nowUs, units),
    };
  }

  type Counter = ReturnType<typeof counterOf>;

  /** Takes units until a request is refused: which one, when, and what it was told. */
  async function untilRefused(
    { limit: most, consume, penalize }: Counter,
    begunUs: number,
    steps: readonly Past[],
    costShare: number,
  ): Promise<{ readonly nowUs: number; readonly cost: number; readonly refusal: TimedAnswer }> {
    let nowUs = begunUs;
    for (const step of steps) {
      nowUs += step.waitMs * 1_000;
      const units = Math.ceil(step.share * most);
      await (step.isPenalty ? penalize(nowUs, units) : consume(nowUs, units));
    }
    const cost = Math.ceil(costShare * most);
    for (let taken = 0; taken <= most; taken += cost) {
      const refusal = await consume(nowUs, cost);
      if (!refusal.admitted) return { nowUs, cost, refusal };
    }
    throw new RangeError('More than the limit was admitted.');
  }

  it.each(POLICIES)(
    'is admitted by %s, after penalties too, and whoever comes a millisecond earlier is not',
    async (_, policies) => {
      await fc.assert(
        fc.asyncProperty(policies, startUs, past, share, async (options, begunUs, steps, costShare) => {
          const counter = counterOf(options);
          const { nowUs, cost, refusal } = await untilRefused(counter, begunUs, steps, costShare);
          expect(refusal.retryMs).toBeGreaterThan(0);
          const early = await counter.consume(nowUs + (refusal.retryMs - 1) * 1_000, cost);
          expect({ early: early.admitted, retryMs: early.retryMs }).toEqual({ early: false, retryMs: 1 });
          expect((await counter.consume(nowUs + refusal.retryMs * 1_000, cost)).admitted).toBe(true);
        }),
        { numRuns: 12 },
      );
    },
  );

  it.each(POLICIES)(
    'to be whole is given the whole limit by %s, and not a millisecond earlier',
    async (_, policies) => {
      await fc.assert(
        fc.asyncProperty(policies, startUs, past, share, async (options, begunUs, steps, costShare) => {
          const counter = counterOf(options);
          const { nowUs, refusal } = await untilRefused(counter, begunUs, steps, costShare);
          expect(refusal.resetMs).toBeGreaterThanOrEqual(refusal.retryMs);
          const early = await counter.consume(nowUs + (refusal.resetMs - 1) * 1_000, counter.limit);
          // A counter that estimates may take the last unit for gone before the window is.
          if (!('algorithm' in options && options.algorithm === 'sliding-counter')) expect(early.admitted).toBe(false);
          if (early.admitted) return;
          expect((await counter.consume(nowUs + refusal.resetMs * 1_000, counter.limit)).admitted).toBe(true);
        }),
        { numRuns: 12 },
      );
    },
  );

  it.each(POLICIES)('each time gets all of it in the end from %s, with no attempt in vain', async (_, policies) => {
    await fc.assert(
      fc.asyncProperty(
        policies,
        startUs,
        fc.array(share, { minLength: 5, maxLength: 12 }),
        async (options, begunUs, costs) => {
          const counter = counterOf(options);
          let nowUs = begunUs;
          for (const each of costs) {
            const cost = Math.ceil(each * counter.limit);
            const first = await counter.consume(nowUs, cost);
            if (first.admitted) continue;
            nowUs += first.retryMs * 1_000;
            expect((await counter.consume(nowUs, cost)).admitted).toBe(true);
          }
        },
      ),
      { numRuns: 10 },
    );
  });
});

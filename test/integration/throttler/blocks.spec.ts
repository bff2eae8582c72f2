import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import fc from 'fast-check';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import { systemClock } from '../../../src/core/time/clock.js';
import { eventually } from '../../../src/testing/index.js';
import { RedisLimits } from '../../../src/throttler/engine/redis-limits.js';
import { RateLimiter, type RateLimitPolicy, type RoutePolicy } from '../../../src/throttler/index.js';
import { ThrottlerRuntime } from '../../../src/throttler/throttler.runtime.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  keysUnder,
  randomPrefix,
  sharedRedis,
  type SharedTopology,
} from '../../support/redis.js';
import { throttlerApp } from '../../support/throttler-app.js';
import { fits, left, oracleOf } from './oracle.js';
import { askOf, termsOf, timedConnection, TimedCounter } from './timed-limits.js';

expectNoLeakedConnections();

const BLOCK_MS = 400;
const NOW_US = 1_800_000_000_000_000;

const POLICIES = [
  { name: 'strict', limit: 2, window: '1h', blockFor: `${BLOCK_MS}ms` },
  { name: 'long', limit: 2, window: '1h', blockFor: '1h' },
  { name: 'longer', rate: '1/h', burst: 2, blockFor: '2h' },
  { name: 'open', limit: 100, window: '1h' },
  { name: 'small', limit: 1, window: '1h' },
  { name: 'shadow', limit: 1, window: '1h', blockFor: '1h', shadow: true },
] as const satisfies readonly RateLimitPolicy[];

const openApp = (topology: SharedTopology, prefix: string, policies: readonly RateLimitPolicy[]) =>
  // Nothing is refused from memory: each decision is that of the server.
  throttlerApp({ redis: sharedRedis(topology), prefix, throttler: { policies, maxCallers: 0 } });

describeTopologies((topology) => {
  const prefix = randomPrefix();
  let app: TestingModule;
  let remembering: TestingModule;
  let limiter: RateLimiter;
  let callers = 0;
  const newCaller = (): string => `caller-${(callers += 1)}`;
  const consume = (names: string | readonly string[], caller: string, cost = 1) =>
    limiter.consume(names, caller, { cost });
  const remaining = async (name: string, caller: string): Promise<number | undefined> =>
    (await limiter.peek(name, caller)).policies[0]?.remaining;
  const blocksOf = async (caller: string): Promise<readonly string[]> =>
    (await keysUnder(topology, `${prefix}:limit:{${caller}}`)).filter((key) => key.endsWith(':block'));

  beforeAll(async () => {
    app = await openApp(topology, prefix, POLICIES);
    remembering = await throttlerApp({ redis: sharedRedis(topology), prefix, throttler: { policies: POLICIES } });
    limiter = app.get(RateLimiter);
  });
  afterAll(async () => {
    await expectEveryKeyExpires(topology, prefix);
    await app.close();
    await remembering.close();
  });

  describe('A policy that blocks', () => {
    it('does so from the first refusal on, for no longer after more of them, and then its count begins anew', async () => {
      const caller = newCaller();
      await consume('strict', caller, 2);
      const before = performance.now();
      const first = await consume('strict', caller);
      expect([first.admitted, first.refusedBy]).toEqual([false, ['strict']]);
      expect(first.retryAfterMs).toBe(BLOCK_MS);
      let told = first.retryAfterMs;
      await eventually(async () => {
        const again = await consume('strict', caller);
        if (!again.admitted) {
          expect(again.retryAfterMs).toBeLessThanOrEqual(told);
          expect(again.policies[0]?.remaining).toBe(0);
          told = again.retryAfterMs;
        }
        expect(again.admitted).toBe(true);
      });
      expect(performance.now() - before).toBeGreaterThan(BLOCK_MS - 1);
      expect(await remaining('strict', caller)).toBe(1);
    });

    it('is remembered by the processes that were told, and by no means for longer', async () => {
      const caller = newCaller();
      await consume('strict', caller, 2);
      const elsewhere = remembering.get(RateLimiter);
      expect((await elsewhere.consume('strict', caller)).retryAfterMs).toBe(BLOCK_MS);
      await eventually(async () => expect((await elsewhere.consume('strict', caller)).admitted).toBe(true));
      expect(await remaining('strict', caller)).toBe(1);
    });

    it('forgets at once what it has counted', async () => {
      const caller = newCaller();
      await consume('long', caller, 2);
      await consume('long', caller);
      expect(await blocksOf(caller)).toHaveLength(1);
      expect(await keysUnder(topology, `${prefix}:limit:{${caller}}`)).toHaveLength(1);
    });

    it('blocks whom a request costs more than there is left, too', async () => {
      const caller = newCaller();
      await consume('long', caller);
      expect((await consume('long', caller, 2)).retryAfterMs).toBe(3_600_000);
      expect((await consume('long', caller)).admitted).toBe(false);
    });

    it('leaves other policies alone, unless a request is by both: then neither is charged', async () => {
      const caller = newCaller();
      await consume('long', caller, 2);
      await consume('long', caller);
      expect((await consume('open', caller)).admitted).toBe(true);
      const both = await consume(['open', 'long'], caller);
      expect([both.admitted, both.blocked, both.refusedBy]).toEqual([false, false, ['long']]);
      expect(both.retryAfterMs).toBeGreaterThan(3_500_000);
      expect(await remaining('open', caller)).toBe(99);
    });

    it('does not block whom only another policy refuses', async () => {
      const caller = newCaller();
      await consume('small', caller);
      const both = await consume(['long', 'small'], caller);
      expect([both.admitted, both.refusedBy]).toEqual([false, ['small']]);
      expect(await blocksOf(caller)).toEqual([]);
      expect((await consume('long', caller)).admitted).toBe(true);
    });

    it('blocks together with others, each for as long as it is told to', async () => {
      const caller = newCaller();
      await consume(['long', 'longer'], caller, 2);
      const both = await consume(['long', 'longer'], caller);
      expect(both.policies.map(({ retryAfterMs }) => retryAfterMs)).toEqual([3_600_000, 7_200_000]);
      expect(both.retryAfterMs).toBe(7_200_000);
      expect(await blocksOf(caller)).toHaveLength(2);
    });

    it('blocks once out of many requests at once, and admits exactly its limit', async () => {
      const caller = newCaller();
      const results = await Promise.all(Array.from({ length: 100 }, () => consume('long', caller)));
      expect(results.filter(({ admitted }) => admitted)).toHaveLength(2);
      const refused = results.filter(({ admitted }) => !admitted);
      expect(refused.every(({ retryAfterMs }) => retryAfterMs > 3_500_000 && retryAfterMs <= 3_600_000)).toBe(true);
    });

    it('blocks what arrives in one turn behind the refusal, were there room for it', async () => {
      const caller = newCaller();
      await consume('long', caller);
      const results = await Promise.all([consume('long', caller, 2), consume('long', caller)]);
      expect(results.map(({ admitted }) => admitted)).toEqual([false, false]);
      expect(results.map(({ retryAfterMs }) => retryAfterMs)).toEqual([3_600_000, 3_600_000]);
    });

    it('blocks nobody by a look, or by a penalty; after it, by the next refusal', async () => {
      const caller = newCaller();
      await limiter.penalize('long', caller, { cost: 2 });
      await limiter.penalize('long', caller, { cost: 2 });
      expect((await limiter.peek('long', caller)).admitted).toBe(false);
      expect(await blocksOf(caller)).toEqual([]);
      expect((await consume('long', caller)).retryAfterMs).toBe(3_600_000);
    });

    it('says to a look that it blocks', async () => {
      const caller = newCaller();
      await consume('long', caller, 2);
      await consume('long', caller);
      const looked = await limiter.peek('long', caller);
      expect([looked.admitted, looked.refusedBy]).toEqual([false, ['long']]);
      expect(looked.retryAfterMs).toBeGreaterThan(3_500_000);
    });

    it('stops by a reset, and not by taking the caller off the block list', async () => {
      const caller = newCaller();
      await consume('long', caller, 2);
      await consume('long', caller);
      expect(await limiter.unblock(caller)).toBe(false);
      expect((await consume('long', caller)).admitted).toBe(false);
      await limiter.reset('long', caller);
      expect((await consume('long', caller, 2)).admitted).toBe(true);
    });

    it('blocks nobody in shadow mode', async () => {
      const caller = newCaller();
      for (let i = 0; i < 3; i++) expect((await consume(['shadow', 'open'], caller)).admitted).toBe(true);
      expect(await blocksOf(caller)).toEqual([]);
      // What it has counted is still there, then.
      expect(await remaining('shadow', caller)).toBe(0);
    });

    it('blocks nobody in shadow mode beside a policy that does, either', async () => {
      const caller = newCaller();
      await consume('shadow', caller);
      await consume('long', caller, 2);
      expect((await consume(['shadow', 'long'], caller)).refusedBy).toEqual(['long']);
      expect((await blocksOf(caller)).map((key) => key.includes('shadow'))).toEqual([false]);
    });
  });

  describe('The block list', () => {
    it('refuses a request of several callers when one of them is on it, whichever, and charges none', async () => {
      const { limiter: engine, policies } = app.get(ThrottlerRuntime);
      const [alice, bob] = [newCaller(), newCaller()];
      const together = () =>
        engine.consume([alice, bob].map((caller) => policies.use(policies.get('open'), policies.callerKey(caller), 1)));
      expect((await together()).admitted).toBe(true);
      for (const blocked of [alice, bob]) {
        await limiter.block(blocked, '1h');
        const result = await together();
        expect([result.admitted, result.blocked, result.policies]).toEqual([false, true, []]);
        expect(result.retryAfterMs).toBeGreaterThan(3_500_000);
        await limiter.unblock(blocked);
      }
      expect([await remaining('open', alice), await remaining('open', bob)]).toEqual([99, 99]);
      expect((await together()).admitted).toBe(true);
    });

    it('refuses by a policy in shadow mode, too, and begins none of its own blocks', async () => {
      const caller = newCaller();
      await consume('long', caller, 2);
      await limiter.block(caller, '1h');
      expect((await consume('shadow', caller)).blocked).toBe(true);
      expect((await consume('long', caller)).blocked).toBe(true);
      expect(await blocksOf(caller)).toEqual([]);
    });

    it('takes the latest word for how long', async () => {
      const caller = newCaller();
      await limiter.block(caller, '2h');
      await limiter.block(caller, '1m');
      expect((await consume('open', caller)).retryAfterMs).toBeLessThanOrEqual(60_000);
      await limiter.block(caller, '1ms');
      await eventually(async () => expect((await consume('open', caller)).admitted).toBe(true));
    });
  });

  describe('A policy that was changed while it has counted', () => {
    const WINDOW = { limit: 10, window: '1h' } as const;
    const RATE = { rate: '10/h', burst: 10 } as const;
    const BUCKET = { capacity: 10, refill: '1/h' } as const;

    type Change = readonly [string, object, object, { readonly taken: number; readonly leftThen: number }];
    const CHANGES: readonly Change[] = [
      ['a limit raised', WINDOW, { ...WINDOW, limit: 20 }, { taken: 6, leftThen: 14 }],
      ['a limit lowered', WINDOW, { ...WINDOW, limit: 8 }, { taken: 6, leftThen: 2 }],
      ['a limit lowered below what is taken', WINDOW, { ...WINDOW, limit: 4 }, { taken: 6, leftThen: 0 }],
      ['a limit raised beyond two bytes', WINDOW, { ...WINDOW, limit: 100_000 }, { taken: 6, leftThen: 99_994 }],
      ['a limit lowered to two bytes', { ...WINDOW, limit: 100_000 }, WINDOW, { taken: 6, leftThen: 4 }],
      ['a burst raised', RATE, { ...RATE, burst: 20 }, { taken: 6, leftThen: 14 }],
      // Six units were six tenths of an hour, which are three at half the rate.
      ['a rate halved', RATE, { ...RATE, rate: '5/h' }, { taken: 6, leftThen: 7 }],
      ['a capacity lowered', BUCKET, { ...BUCKET, capacity: 4 }, { taken: 6, leftThen: 0 }],
      ['another lump', BUCKET, { ...BUCKET, refill: '7/h' }, { taken: 6, leftThen: 4 }],
      ['another window', WINDOW, { ...WINDOW, window: '2h' }, { taken: 6, leftThen: 10 }],
      ['another algorithm', WINDOW, { ...WINDOW, algorithm: 'fixed-window' }, { taken: 6, leftThen: 10 }],
      ['a rate for a window', WINDOW, RATE, { taken: 6, leftThen: 10 }],
      ['a refill in another time', BUCKET, { ...BUCKET, refill: '1/2h' }, { taken: 6, leftThen: 10 }],
      ['slots for a window', WINDOW, { concurrent: 2 }, { taken: 6, leftThen: 2 }],
      ['a block', WINDOW, { ...WINDOW, blockFor: '1m' }, { taken: 6, leftThen: 4 }],
    ];

    let before: TestingModule;
    let after: TestingModule;
    beforeAll(async () => {
      const named = (which: 1 | 2) => CHANGES.map((change) => ({ name: change[0], ...change[which] })) as never;
      before = await openApp(topology, prefix, named(1));
      after = await openApp(topology, prefix, named(2));
    });
    afterAll(async () => {
      await before.close();
      await after.close();
    });

    it.each(CHANGES)('goes on by its new terms: %s', async (name, _old, _new, { taken, leftThen }) => {
      const caller = newCaller();
      const changed = after.get(RateLimiter);
      await before.get(RateLimiter).consume(name, caller, { cost: taken });
      expect((await changed.peek(name, caller)).policies[0]?.remaining).toBe(leftThen);
      const next = await changed.consume(name, caller);
      expect(next.admitted).toBe(leftThen > 0);
      // And back again, as while a new version is rolled out.
      await expect(before.get(RateLimiter).consume(name, caller)).resolves.toBeDefined();
      await expect(changed.refund(name, caller)).resolves.toBeUndefined();
      await expect(changed.penalize(name, caller)).resolves.toBeUndefined();
    });
  });
});

describe('The server', () => {
  const prefix = randomPrefix();
  let app: TestingModule;
  let redis: RedisConnection;
  let keys = 0;
  const newKey = (): string => `${prefix}:{${(keys += 1)}}`;

  beforeAll(async () => {
    app = await openApp('standalone', prefix, []);
    redis = app.get(RedisConnections, { strict: false }).get();
    // Teaches the server the script first: a call that has to be sent again is overtaken by what was sent with it in one turn.
    await new TimedCounter(redis, newKey()).consume({ limit: 1, window: '1h' }, NOW_US, 1);
  });
  afterAll(() => app.close());

  describe('when it comes to a decision so late that nobody waits any more', () => {
    const LONG_AGO_US = 1_000_000;
    const STRICT = { limit: 1, window: '1h', blockFor: '1h' } as const;

    function lateLimits(...clocksUs: readonly number[]) {
      let call = 0;
      const timed = timedConnection(redis, { clockUs: () => clocksUs[call++] ?? LONG_AGO_US });
      return { limits: new RedisLimits(timed, systemClock, 30_000), calls: () => call };
    }

    it.each(['consume', 'charge', 'look'] as const)('does nothing, whether it is to %s', async (how) => {
      const key = newKey();
      const { limits, calls } = lateLimits();
      await expect(limits[how](askOf(key, STRICT, 1))).rejects.toMatchObject({
        code: 'ROOKERY_REDIS_UNAVAILABLE',
        reason: 'deadline',
        mayHaveRun: false,
      });
      expect(calls()).toBe(2);
      expect(await redis.send('EXISTS', [key, `${key}:block`])).toBe(0);
    });

    it('begins no block', async () => {
      const key = newKey();
      await lateLimits(0).limits.consume(askOf(key, STRICT, 1));
      await expect(lateLimits().limits.consume(askOf(key, STRICT, 1))).rejects.toMatchObject({ reason: 'deadline' });
      expect(await redis.send('EXISTS', [`${key}:block`])).toBe(0);
      expect((await lateLimits(0).limits.consume(askOf(key, STRICT, 1))).admitted).toBe(false);
      expect(await redis.send('EXISTS', [`${key}:block`])).toBe(1);
    });

    it('decides after all when only its clock was set forward, and somebody still waits', async () => {
      const { limits, calls } = lateLimits(LONG_AGO_US, Number.MAX_SAFE_INTEGER);
      expect((await limits.consume(askOf(newKey(), STRICT, 1))).admitted).toBe(true);
      expect(calls()).toBe(2);
    });
  });

  const windowMs = fc.integer({ min: 1_000, max: 100_000 });
  const steps = fc.array(
    fc.record({ share: fc.integer({ min: 1, max: 100 }), wait: fc.integer({ min: 0, max: 100 }) }),
    { minLength: 6, maxLength: 20 },
  );
  const some = (limit: number, { share }: { readonly share: number }): number => Math.ceil((limit * share) / 100);

  it.each<readonly [string, (limit: number, ms: number) => RoutePolicy]>([
    ['GCRA', (burst, ms) => ({ burst, rate: `7/${ms}ms` })],
    ['the sliding window', (limit, ms) => ({ limit, window: `${ms}ms` })],
    ['the fixed window', (limit, ms) => ({ limit, window: `${ms}ms`, algorithm: 'fixed-window' })],
    ['the sliding counter', (limit, ms) => ({ limit, window: `${ms}ms`, algorithm: 'sliding-counter' })],
    ['the token bucket', (capacity, ms) => ({ capacity, refill: `3/${ms}ms` })],
    ['the sliding log', (limit, ms) => ({ limit, window: `${ms}ms`, algorithm: 'sliding-log' })],
  ])('holds %s to the limit as it is by now, whatever it was before', async (_, policyOf) => {
    const limits = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 20, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(windowMs, limits, steps, async (ms, most, taken) => {
        const [counter, oracle] = [new TimedCounter(redis, newKey()), oracleOf(termsOf(policyOf(1, ms)))];
        let nowUs = NOW_US;
        for (const [i, step] of taken.entries()) {
          const policy = policyOf(most[i] ?? 1, ms);
          const terms = termsOf(policy);
          const units = some(terms.limit, step);
          nowUs += ms * 5 * step.wait;
          const expected = fits(oracle, terms, nowUs, units);
          if (expected) oracle.charge(nowUs, units);
          const { admitted, remaining } = await counter.consume(policy, nowUs, units);
          expect({ admitted, remaining }).toEqual({ admitted: expected, remaining: left(oracle, terms, nowUs) });
        }
      }),
      { numRuns: 8 },
    );
  });

  it('counts on in four bytes what two cannot hold, when the limit was lowered to what they can', async () => {
    const [counter, laterUs] = [new TimedCounter(redis, newKey()), 200_000_000];
    await counter.consume({ limit: 100_000, window: '1000s' }, NOW_US, 70_000);
    const lowered = { limit: 60_000, window: '1000s' } as const;
    await counter.penalize(lowered, NOW_US + laterUs, 1);
    expect((await counter.consume(lowered, NOW_US + 2 * laterUs, 1)).admitted).toBe(false);
    expect(await counter.consume({ limit: 70_002, window: '1000s' }, NOW_US + 2 * laterUs, 1)).toMatchObject({
      admitted: true,
      remaining: 0,
    });
  });

  it('keeps the moment at which GCRA has room, whatever its fraction was a part of before the rate was changed', async () => {
    const counter = new TimedCounter(redis, newKey());
    // A hundred units take 720,012 microseconds, and 240,204 parts of 999,983 of one.
    await counter.consume({ rate: '999983/2h', burst: 100 }, NOW_US, 100);
    expect(await counter.consume({ rate: '1/s', burst: 10 }, NOW_US, 1)).toMatchObject({
      admitted: true,
      resetMs: 1_721,
    });
  });

  it.each<readonly [string, (limit: number, ms: number, units: number) => RoutePolicy]>([
    ['GCRA whose rate', (burst, ms, units) => ({ burst, rate: `${units}/${ms * units + 1}ms` })],
    ['the sliding log whose window', (limit, ms) => ({ limit, window: `${ms}ms`, algorithm: 'sliding-log' })],
  ])('admits by %s was changed no more than if it had counted nothing before', async (_, policyOf) => {
    const policies = fc
      .tuple(fc.integer({ min: 1, max: 40 }), windowMs, fc.integer({ min: 1, max: 1_000 }))
      .map(([limit, ms, units]) => policyOf(limit, ms, units));
    await fc.assert(
      fc.asyncProperty(policies, policies, steps, steps, async (old, changed, earlier, later) => {
        const [counter, terms] = [new TimedCounter(redis, newKey()), termsOf(changed)];
        const oracle = oracleOf(terms);
        let nowUs = NOW_US;
        for (const step of earlier) {
          nowUs += step.wait * 50_000;
          await counter.consume(old, nowUs, some(termsOf(old).limit, step));
        }
        for (const step of later) {
          nowUs += step.wait * 50_000;
          const units = some(terms.limit, step);
          const { admitted } = await counter.consume(changed, nowUs, units);
          const mayAdmit = fits(oracle, terms, nowUs, units);
          if (admitted) oracle.charge(nowUs, units);
          expect({ admitted, mayAdmit }).toEqual({ admitted, mayAdmit: admitted || mayAdmit });
        }
      }),
      { numRuns: 8 },
    );
  });
});

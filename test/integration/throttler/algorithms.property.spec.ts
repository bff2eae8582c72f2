import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { Test } from '@nestjs/testing';
import fc from 'fast-check';
import { RedisConnections } from '../../../src/core/redis/redis-connections.js';
import type { RedisConnection } from '../../../src/core/redis/redis-connection.js';
import { RedisModule } from '../../../src/core/redis/redis.module.js';
import { throttlerConsume } from '../../../src/throttler/throttler.scripts.gen.js';
import {
  describeTopologies,
  expectEveryKeyExpires,
  expectNoLeakedConnections,
  randomPrefix,
  sharedRedis,
} from '../../support/redis.js';
import { SILENT } from '../redis/open-redis.js';
import {
  CONCURRENCY,
  FIXED_WINDOW,
  fits,
  fullestWindow,
  GCRA,
  left,
  oracleOf,
  SLIDING_COUNTER,
  SLIDING_LOG,
  SLIDING_WINDOW,
  TOKEN_BUCKET,
  type Charge,
  type Oracle,
  type Policy,
} from './oracle.js';

expectNoLeakedConnections();

const ANY: Policy = { kind: FIXED_WINDOW, limit: 1, a: 1_000_000, b: 1 };

const LOOK = 0;
const CHARGE = 1;
const CHARGE_REGARDLESS = 2;

/**
 * For how long a key is kept once the script has given it a TTL. The injected time may stand still while the real one passes, and a key would go too early;
 * and where the injected time runs ahead, a key that stays for longer than it must may not matter.
 */
const HOLD_MS = 600_000;
/** A key that lives for less may go before it is held. */
const SHORT_MS = 50;

/** What one policy says to one request. */
interface Verdict {
  readonly left: number;
  readonly resetMs: number;
  readonly retryMs: number;
}

/** The answer to one request. */
interface Answer {
  readonly admitted: boolean;
  readonly verdicts: readonly Verdict[];
}

interface Charged {
  readonly policy: Policy;
  readonly key: string;
  readonly units: number;
  /** The policy counts, but refuses nobody. */
  readonly isLenient?: boolean;
}

interface Request {
  readonly holder?: number;
  readonly charged: readonly Charged[];
}

/** What one step does: lets time pass, and asks for units. */
interface Step {
  /** Nothing, microseconds, a part of the time that the whole limit takes, or until a refusal or the whole state is over. */
  readonly wait: number | { readonly share: number } | 'until the retry moment' | 'until the reset moment';
  readonly units: 'one' | 'all' | { readonly share: number };
  readonly how: 'charge' | 'charge regardless' | 'take back';
}

const share = fc.integer({ min: 0, max: 1_000 }).map((thousandths) => thousandths / 1_000);
const startUs = fc.integer({ min: 1_700_000_000_000_000, max: 2_000_000_000_000_000 });
const windowUs = fc.oneof(
  fc.constantFrom(1_000_000, 60_000_000, 3_600_000_000),
  // Not a whole number of milliseconds, nor 18 whole sub-windows.
  fc.integer({ min: 1_000_000, max: 100_000_000 }),
);
const limit = fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 70_000 }), fc.constant(70_000));
const fewUnits = fc.integer({ min: 1, max: 60 });
const rate = fc.oneof(
  fc.constantFrom([1_000_000, 7] as const, [1_000_000, 1] as const, [60_000_000, 70_000] as const),
  fc.tuple(fc.integer({ min: 100_000, max: 10_000_000 }), fc.integer({ min: 1, max: 1_000 })),
);

const gcra = fc.tuple(limit, rate).map(([most, [a, b]]): Policy => ({ kind: GCRA, limit: most, a, b }));
const slidingWindow = windowed(SLIDING_WINDOW, limit, windowUs);
const fixedWindow = windowed(FIXED_WINDOW, limit, windowUs);
const wholeMs = windowUs.map((us) => Math.ceil(us / 1_000) * 1_000);
const slidingCounter = windowed(SLIDING_COUNTER, limit, wholeMs);
const tokenBucket = fc
  .tuple(limit, windowUs, share)
  .map(([most, a, part]): Policy => ({ kind: TOKEN_BUCKET, limit: most, a, b: Math.ceil(most * part) || 1 }));
// Its script takes as long as there are units, so not too many.
const slidingLog = windowed(SLIDING_LOG, fewUnits, windowUs);
const concurrency = windowed(CONCURRENCY, fc.integer({ min: 1, max: 5 }), windowUs);

const ALGORITHMS: readonly (readonly [string, fc.Arbitrary<Policy>])[] = [
  ['GCRA', gcra],
  ['the sliding window', slidingWindow],
  ['the fixed window', fixedWindow],
  ['the sliding counter', slidingCounter],
  ['the token bucket', tokenBucket],
  ['the sliding log', slidingLog],
];

const wait: fc.Arbitrary<Step['wait']> = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 3_000 }),
  fc.record({ share: share.map((part) => part / 10) }),
  fc.record({ share }),
  fc.record({ share: share.map((part) => part * 3) }),
  fc.constant<Step['wait']>('until the retry moment'),
  fc.constant<Step['wait']>('until the reset moment'),
);
const units: fc.Arbitrary<Step['units']> = fc.oneof(
  fc.constantFrom<Step['units']>('one', 'all'),
  fc.record({ share }),
  fc.record({ share: share.map((part) => part / 5) }),
);
const onlyCharges = fc.array(fc.record<Step>({ wait, units, how: fc.constant('charge') }), {
  minLength: 10,
  maxLength: 40,
});
const anySteps = fc.array(
  fc.record<Step>({
    wait,
    units,
    how: fc.constantFrom<Step['how'][]>('charge', 'charge', 'charge', 'charge regardless', 'take back'),
  }),
  { minLength: 10, maxLength: 40 },
);

function windowed(kind: number, most: fc.Arbitrary<number>, length: fc.Arbitrary<number>): fc.Arbitrary<Policy> {
  return fc.tuple(most, length).map(([of, a]): Policy => ({ kind, limit: of, a, b: 1 }));
}

function unitsOf(step: Step, { limit: most }: Policy): number {
  if (step.units === 'one') return 1;
  return step.units === 'all' ? most : Math.max(1, Math.round(step.units.share * most));
}

/** How long the whole limit takes to come back, at least about: what random steps of time are in proportion to. */
function scaleOf({ kind, limit: most, a, b }: Policy): number {
  if (kind === GCRA) return Math.ceil((most * a) / b);
  return kind === TOKEN_BUCKET ? Math.ceil(most / b) * a : a;
}

/** Time as the test has it, which only goes on. */
class Time {
  #retryUs = 0;
  #resetUs = 0;

  constructor(
    public nowUs: number,
    readonly scaleUs: number,
  ) {}

  pass(step: Step['wait']): void {
    if (typeof step === 'number') this.nowUs += step;
    else if (typeof step === 'object') this.nowUs += Math.round(step.share * this.scaleUs);
    else this.nowUs = Math.max(this.nowUs, step === 'until the retry moment' ? this.#retryUs : this.#resetUs);
  }

  note({ resetMs, retryMs }: Verdict): void {
    if (retryMs > 0) this.#retryUs = this.after(retryMs);
    this.#resetUs = this.after(resetMs);
  }

  after(ms: number): number {
    return this.nowUs + ms * 1_000;
  }
}

function wordsOf(requests: readonly Request[]): readonly number[] {
  let number = 0;
  return [
    ...requests
      .flatMap(({ charged }) => charged)
      .flatMap(({ policy, units: own, isLenient = false }) => {
        const hasB = policy.kind === GCRA || policy.kind === TOKEN_BUCKET;
        return [policy.kind + (isLenient ? 8 : 0), policy.limit, policy.a, ...(hasB ? [policy.b] : []), own];
      }),
    ...requests.flatMap(({ holder = 0, charged }) => [-256 - charged.length, ...charged.map(() => ++number), holder]),
  ];
}

function answersOf(reply: readonly number[], requests: readonly Request[]): readonly Answer[] {
  const words = reply.slice(1);
  const next = (): number => words.shift() ?? NaN;
  const answers = requests.map(({ charged }): Answer => {
    const admitted = next() === 1;
    return { admitted, verdicts: charged.map(() => ({ left: next(), resetMs: next(), retryMs: next() })) };
  });
  if (words.length > 0) throw new RangeError(`The reply has ${words.length} words too many.`);
  return answers;
}

function only<T>(list: readonly T[]): T {
  // Not by `expect`, which takes as long as a call of the script.
  if (list.length !== 1) throw new RangeError(`There are ${list.length} instead of one.`);
  return list[0] as T;
}

describeTopologies((topology) => {
  /** fast-check prints the seed of a run that fails; nothing here depends on the real time, so that the seed repeats it. A script is the same on a Cluster. */
  const RUNS = { numRuns: topology === 'standalone' ? 20 : 5 };
  const prefix = randomPrefix();
  let module: TestingModule;
  let redis: RedisConnection;
  let count = 0;

  beforeAll(async () => {
    const options = topology === 'standalone' ? sharedRedis('standalone') : sharedRedis('cluster');
    module = await Test.createTestingModule({ imports: [RedisModule.forRoot(options)] })
      .setLogger(SILENT)
      .compile();
    await module.init();
    redis = module.get(RedisConnections, { strict: false }).get();
    // Teaches every server the script first: a call that has to be sent again is overtaken by what was sent with it in one turn.
    await Promise.all(
      Array.from({ length: 64 }, () => consume(LOOK, 1, [{ charged: [{ policy: ANY, key: newKey(), units: 1 }] }])),
    );
  });
  afterAll(() => module.close());

  /** All on one slot. */
  const newKeys = (much: number): readonly string[] => {
    const tag = `${prefix}:{${++count}}`;
    return Array.from({ length: much }, (_, i) => `${tag}:${i}`);
  };
  const newKey = (): string => only(newKeys(1));

  async function consume(mode: number, givenUs: number, requests: readonly Request[]): Promise<readonly Answer[]> {
    const keys = requests.flatMap(({ charged }) => charged.map(({ key }) => key));
    const args = { clockUs: -givenUs, mode, words: wordsOf(requests) };
    const reply = await redis.scripts.run(throttlerConsume, { keys }, args);
    if (reply[0] !== givenUs) throw new RangeError(`The reply is of ${reply[0]} instead of ${givenUs}.`);
    return answersOf(reply, requests);
  }

  async function look(charged: Charged, nowUs: number): Promise<{ readonly admitted: boolean; readonly left: number }> {
    const { admitted, verdicts } = only(await consume(LOOK, nowUs, [{ charged: [charged] }]));
    return { admitted, left: only(verdicts).left };
  }

  const stateOf = (keys: readonly string[]): Promise<readonly unknown[]> =>
    Promise.all(keys.flatMap((key) => [redis.send('DUMP', [key]), redis.send('PEXPIRETIME', [key])]));

  const ttlsOf = (keys: readonly string[]): Promise<readonly number[]> =>
    Promise.all(keys.map(async (key) => Number(await redis.send('PTTL', [key]))));

  const hold = (keys: readonly string[]): Promise<readonly unknown[]> =>
    Promise.all(keys.map((key) => redis.send('PEXPIRE', [key, HOLD_MS])));

  /** Consumes, sees to it that no key would stay for ever, and that nothing was written when nobody was admitted. All in one turn, hence one after another. */
  async function consumeAndHold(mode: number, nowUs: number, requests: readonly Request[]): Promise<readonly Answer[]> {
    const keys = [...new Set(requests.flatMap(({ charged }) => charged.map(({ key }) => key)))];
    const [before, answers, ttls, after, kept] = await Promise.all([
      stateOf(keys),
      consume(mode, nowUs, requests),
      ttlsOf(keys),
      stateOf(keys),
      hold(keys),
    ]);
    expect(ttls).not.toContain(-1);
    // A server that was held up has lost what had a millisecond or two to live. That says nothing, so another run takes the place of this one.
    const shortMs = Math.min(...answers.flatMap(({ verdicts }) => verdicts.map(({ resetMs }) => resetMs || Infinity)));
    fc.pre(shortMs > SHORT_MS || !kept.includes(0));
    if (answers.every(({ admitted }) => !admitted)) expect(after).toEqual(before);
    return answers;
  }

  /** Whether the retry and reset moments are what they are said to be, to the millisecond. */
  async function checkMoments(charged: Charged, oracle: Oracle, time: Time, verdict: Verdict): Promise<void> {
    const { policy } = charged;
    const resetUs = time.after(verdict.resetMs);
    const [atReset, atRetry, before] = await Promise.all([
      look(charged, resetUs),
      look(charged, time.after(verdict.retryMs)),
      look(charged, time.after(verdict.retryMs - 1)),
    ]);
    expect({ atReset: atReset.left, oracle: left(oracle, policy, resetUs) }).toEqual({
      atReset: policy.limit,
      oracle: policy.limit,
    });
    if (verdict.retryMs === 0) return;
    expect({ before: before.admitted, atRetry: atRetry.admitted }).toEqual({ before: false, atRetry: true });
    expect(fits(oracle, policy, time.after(verdict.retryMs), charged.units)).toBe(true);
  }

  async function takeStep(step: Step, policy: Policy, key: string, oracle: Oracle, time: Time): Promise<number> {
    time.pass(step.wait);
    const mode = step.how === 'charge' ? CHARGE : CHARGE_REGARDLESS;
    const own = step.how === 'take back' ? -unitsOf(step, policy) : unitsOf(step, policy);
    const charged = { policy, key, units: own };
    const answer = only(await consumeAndHold(mode, time.nowUs, [{ charged: [charged] }]));
    const verdict = only(answer.verdicts);

    const admitted = mode === CHARGE_REGARDLESS || fits(oracle, policy, time.nowUs, own);
    if (admitted) oracle.charge(time.nowUs, own);
    expect({ admitted: answer.admitted, left: verdict.left, refused: verdict.retryMs > 0 }).toEqual({
      admitted,
      left: left(oracle, policy, time.nowUs),
      refused: !admitted,
    });
    time.note(verdict);
    await checkMoments(charged, oracle, time, verdict);
    return admitted ? own : 0;
  }

  describe.each(ALGORITHMS)('%s', (_, policies) => {
    it('admits what its definition admits, and says how much is left and when there is room', async () => {
      await fc.assert(
        fc.asyncProperty(policies, startUs, onlyCharges, async (policy, start, steps) => {
          const [key, oracle, time] = [newKey(), oracleOf(policy), new Time(start, scaleOf(policy))];
          for (const step of steps) await takeStep(step, policy, key, oracle, time);
        }),
        RUNS,
      );
    });

    it('goes on counting right when units are charged regardless or taken back', async () => {
      await fc.assert(
        fc.asyncProperty(policies, startUs, anySteps, async (policy, start, steps) => {
          const [key, oracle, time] = [newKey(), oracleOf(policy), new Time(start, scaleOf(policy))];
          for (const step of steps) await takeStep(step, policy, key, oracle, time);
        }),
        RUNS,
      );
    });

    it('admits nothing that a clock standing still would not admit, when the clock goes back', async () => {
      const back = fc.array(fc.record({ share: share.map((part) => part * 2.4 - 0.8), units }), {
        minLength: 10,
        maxLength: 40,
      });
      await fc.assert(
        fc.asyncProperty(policies, startUs, back, async (policy, start, steps) => {
          const [key, oracle] = [newKey(), oracleOf(policy)];
          let [nowUs, latestUs] = [start, 0];
          for (const step of steps) {
            nowUs += Math.round(step.share * scaleOf(policy));
            const own = unitsOf({ ...step, wait: 0, how: 'charge' }, policy);
            const request = { charged: [{ policy, key, units: own }] };
            const { admitted, verdicts } = only(await consumeAndHold(CHARGE, nowUs, [request]));
            // Only what was admitted moves the clock of a policy.
            const ownUs = Math.max(nowUs, latestUs);
            const mayAdmit = fits(oracle, policy, ownUs, own);
            if (admitted) {
              oracle.charge(ownUs, own);
              latestUs = ownUs;
            }
            expect({ admitted, mayAdmit }).toEqual({ admitted, mayAdmit: admitted || mayAdmit });
            expect(only(verdicts).left).toBeLessThanOrEqual(left(oracle, policy, ownUs));
          }
        }),
        RUNS,
      );
    });
  });

  it.each([
    ['the sliding window', slidingWindow],
    ['the sliding log', slidingLog],
  ])('%s never has more than its limit in any window, wherever that begins', async (_, policies) => {
    await fc.assert(
      fc.asyncProperty(policies, startUs, onlyCharges, async (policy, start, steps) => {
        const [key, time] = [newKey(), new Time(start, scaleOf(policy))];
        const admitted: Charge[] = [];
        for (const step of steps) {
          time.pass(step.wait);
          const own = unitsOf(step, policy);
          const request = { charged: [{ policy, key, units: own }] };
          const answer = only(await consumeAndHold(CHARGE, time.nowUs, [request]));
          if (answer.admitted) admitted.push({ atUs: time.nowUs, units: own });
          time.note(only(answer.verdicts));
        }
        expect(fullestWindow(admitted, policy.a)).toBeLessThanOrEqual(policy.limit);
      }),
      RUNS,
    );
  });

  describe('several policies at once', () => {
    const any = fc.oneof(gcra, slidingWindow, fixedWindow, slidingCounter, tokenBucket, slidingLog, concurrency);
    const several = fc.array(fc.record({ policy: any, isLenient: fc.boolean() }), { minLength: 2, maxLength: 8 });
    const calls = fc.array(fc.record({ share, requests: fc.array(units, { minLength: 1, maxLength: 3 }) }), {
      minLength: 5,
      maxLength: 20,
    });

    /** What the definitions say to one request: all or none of the policies that may refuse, and of the lenient ones those that have room. */
    function decide(charged: readonly Charged[], oracles: readonly Oracle[], nowUs: number): unknown {
      const roomy = charged.map((one, i) => fits(oracles[i] as Oracle, one.policy, nowUs, one.units));
      const admitted = charged.every((one, i) => roomy[i] === true || one.isLenient === true);
      charged.forEach((one, i) => {
        if (admitted && roomy[i] === true) oracles[i]?.charge(nowUs, one.units);
      });
      const lefts = charged.map((one, i) => left(oracles[i] as Oracle, one.policy, nowUs));
      return { admitted, lefts, roomy };
    }

    it('charge a request to all of them or to none, and later requests of a call see the earlier ones', async () => {
      let holder = 0;
      await fc.assert(
        fc.asyncProperty(several, startUs, calls, async (policies, start, steps) => {
          const keys = newKeys(policies.length);
          const oracles = policies.map(({ policy }) => oracleOf(policy));
          const scaleUs = Math.min(...policies.map(({ policy }) => scaleOf(policy)));
          let nowUs = start;
          for (const step of steps) {
            nowUs += Math.round(step.share * scaleUs);
            const requests = step.requests.map((asked): Request & { readonly charged: readonly Charged[] } => ({
              holder: ++holder,
              charged: policies.map(({ policy, isLenient }, i) => ({
                policy,
                isLenient,
                key: keys[i] as string,
                units: policy.kind === CONCURRENCY ? 1 : unitsOf({ units: asked, wait: 0, how: 'charge' }, policy),
              })),
            }));
            const answers = await consumeAndHold(CHARGE, nowUs, requests);
            const found = answers.map(({ admitted, verdicts }) => ({
              admitted,
              lefts: verdicts.map((verdict) => verdict.left),
              roomy: verdicts.map(({ retryMs }) => retryMs === 0),
            }));
            expect(found).toEqual(requests.map(({ charged }) => decide(charged, oracles, nowUs)));
          }
        }),
        RUNS,
      );
    });
  });

  describe('concurrency', () => {
    it('has at most as many holders as its limit, each until its lease ends', async () => {
      let holder = 0;
      await fc.assert(
        fc.asyncProperty(
          concurrency,
          startUs,
          fc.array(wait, { minLength: 10, maxLength: 40 }),
          async (policy, start, waits) => {
            const [key, oracle, time] = [newKey(), oracleOf(policy), new Time(start, policy.a)];
            const ends: number[] = [];
            for (const each of waits) {
              time.pass(each);
              const request = { holder: ++holder, charged: [{ policy, key, units: 1 }] };
              const { admitted, verdicts } = only(await consumeAndHold(CHARGE, time.nowUs, [request]));
              const expected = fits(oracle, policy, time.nowUs, 1);
              if (expected) {
                oracle.charge(time.nowUs, 1);
                ends.push(time.nowUs + policy.a);
              }
              const verdict = { left: left(oracle, policy, time.nowUs), resetMs: 0, retryMs: expected ? 0 : 1_000 };
              expect({ admitted, verdict: only(verdicts) }).toEqual({ admitted: expected, verdict });

              const firstEnd = Math.min(...ends.filter((end) => end > time.nowUs));
              const charged = { policy, key, units: 1 };
              const [before, at] = await Promise.all([look(charged, firstEnd - 1), look(charged, firstEnd)]);
              expect(before.left).toBe(left(oracle, policy, firstEnd - 1));
              expect(at.admitted).toBe(true);
            }
          },
        ),
        RUNS,
      );
    });

    it('gives way to another as soon as a holder has left', async () => {
      const policy: Policy = { kind: CONCURRENCY, limit: 2, a: 60_000_000, b: 1 };
      const [key, nowUs] = [newKey(), 1_800_000_000_000_000];
      const enter = async (holder: number): Promise<boolean> => {
        const request = { holder, charged: [{ policy, key, units: 1 }] };
        return only(await consumeAndHold(CHARGE, nowUs, [request])).admitted;
      };
      expect([await enter(1), await enter(2), await enter(3)]).toEqual([true, true, false]);
      await redis.send('ZREM', [key, '1']);
      expect([await enter(3), await enter(4)]).toEqual([true, false]);
    });
  });

  it('gives every key a time to live, and by it nothing is lost before the reset moment', async () => {
    const [nowUs, lengthUs] = [1_800_000_000_000_000, 20_000_000];
    const kinds = [GCRA, SLIDING_WINDOW, FIXED_WINDOW, SLIDING_COUNTER, TOKEN_BUCKET, SLIDING_LOG, CONCURRENCY];
    const keys = newKeys(kinds.length);
    const charged = kinds.map((kind, i): Charged => {
      return { policy: { kind, limit: 10, a: lengthUs, b: 1 }, key: keys[i] as string, units: 3 };
    });
    for (const mode of [CHARGE, CHARGE_REGARDLESS]) {
      const { verdicts } = only(await consume(mode, nowUs, [{ holder: 1, charged }]));
      for (const [i, ttl] of (await ttlsOf(keys)).entries()) {
        const leastMs = verdicts[i]?.resetMs === 0 ? lengthUs / 1_000 : Number(verdicts[i]?.resetMs);
        // A busy machine may take seconds to come to look.
        expect(ttl).toBeGreaterThan(leastMs - 10_000);
        // Nor is anything kept for much longer: a quarter of the time in which all that is taken now would come back.
        expect(ttl).toBeLessThanOrEqual(leastMs + (10 * lengthUs) / 4_000);
      }
    }
    await expectEveryKeyExpires(topology, prefix);
  });
});

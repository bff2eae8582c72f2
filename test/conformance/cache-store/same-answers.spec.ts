import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EntryIds } from '../../../src/cache/entry/entry-id.js';
import { HEAD_LENGTH, writeFailure, writeLease } from '../../../src/cache/entry/entry-format.js';
import type { EntryStore, RefreshOutcome } from '../../../src/cache/store/entry-store.js';
import { MemoryStore } from '../../../src/cache/store/memory-store.js';
import { systemClock } from '../../../src/core/time/clock.js';
import { eventually } from '../../../src/testing/index.js';
import { describeTopologies, expectNoLeakedConnections, randomPrefix, sharedRedis } from '../../support/redis.js';
import { openRedisStore, type OpenRedisStore } from './open-redis-store.js';

expectNoLeakedConnections();

const LONG_MS = 60_000;
const ids = new EntryIds();
const MARKERS = Array.from({ length: 3 }, () => writeLease(ids.next()));
const VALUES = Array.from({ length: 3 }, (_, i) => Buffer.from(`\x02\x01${ids.next()}\x000000000000000value ${i}`));
const FAILURE = writeFailure(ids.next(), 5_000);

interface TokenOf {
  readonly tag: number;
  readonly token: string | undefined;
}

type Step = (store: EntryStore, keys: readonly string[]) => Promise<unknown>;

const key = fc.nat(1);
const keyList = fc.uniqueArray(key, { minLength: 1 });
const marker = fc.constantFrom(...MARKERS);
const value = fc.constantFrom(...VALUES);
const head = fc.constantFrom(...VALUES.map((bytes) => bytes.subarray(0, HEAD_LENGTH)));
const outcome: fc.Arbitrary<RefreshOutcome> = fc.oneof(
  value.map((bytes) => ({ kind: 'value', bytes, ttlMs: LONG_MS }) as const),
  fc.constantFrom<RefreshOutcome>(
    { kind: 'nothing' },
    { kind: 'failure', mark: FAILURE, backoffMs: LONG_MS },
    { kind: 'failure', mark: FAILURE, backoffMs: 0 },
    { kind: 'prolonged', nowMs: 1_700_000_000_000, serveMs: 1_000 },
  ),
);

const at = (keys: readonly string[], i: number): string => keys[i] as string;
const tagsOf = (keys: readonly string[], which: readonly number[]) => ({
  clock: `${at(keys, 0)}:tags`,
  tags: which.map((i) => `${at(keys, 0)}:tags:${i}`),
});

const tokensOf = (which: readonly number[], tokens: readonly (string | undefined)[]): readonly TokenOf[] =>
  which.map((tag, i) => ({ tag, token: tokens[i] }));

/** Anything that can be asked of a store, with its words for printing. */
const step: fc.Arbitrary<Step> = fc.oneof(
  say('claim', fc.tuple(key, marker), (store, keys, [k, m]) => store.claim(at(keys, k), m, LONG_MS)),
  say('read', key, (store, keys, k) => store.read(at(keys, k))),
  say('wait', fc.tuple(key, marker), (store, keys, [k, m]) => store.wait(at(keys, k), m, LONG_MS)),
  say('settle', fc.tuple(key, marker, fc.oneof(value, fc.constantFrom('', FAILURE))), (store, keys, [k, m, bytes]) =>
    store.settle(at(keys, k), m, bytes, LONG_MS),
  ),
  say('claimRefresh', fc.tuple(key, head, marker, fc.boolean()), (store, keys, [k, seen, m, waits]) =>
    store.claimRefresh(at(keys, k), seen, m, LONG_MS, waits),
  ),
  say('settleRefresh', fc.tuple(key, head, marker, outcome), (store, keys, [k, seen, m, what]) =>
    store.settleRefresh(at(keys, k), seen, m, what),
  ),
  say('renew', fc.tuple(key, fc.boolean(), marker), (store, keys, [k, isRefresh, m]) =>
    store.renew(at(keys, k), isRefresh, m, LONG_MS),
  ),
  say('put', fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 3 }), (store, keys, list) =>
    store.put(list.map(([k, bytes]) => ({ entry: at(keys, k), bytes, ttlMs: LONG_MS }))),
  ),
  say('evict', keyList, (store, keys, list) => store.evict(list.map((k) => at(keys, k)))),
  say('peekTags', keyList, async (store, keys, list) => tokensOf(list, await store.peekTags(tagsOf(keys, list).tags))),
  say('readTags', keyList, async (store, keys, list) =>
    tokensOf(list, (await store.readTags(tagsOf(keys, list), LONG_MS)).tokens),
  ),
  say('invalidateTags', keyList, async (store, keys, list) => {
    const token = await store.invalidateTags(tagsOf(keys, list), LONG_MS);
    return tokensOf(
      list,
      list.map(() => token),
    );
  }),
);

function say<Args>(
  name: string,
  args: fc.Arbitrary<Args>,
  run: (store: EntryStore, keys: readonly string[], args: Args) => Promise<unknown>,
): fc.Arbitrary<Step> {
  return args.map((own) => {
    const it: Step = (store, keys) => run(store, keys, own);
    return Object.assign(it, { [fc.toStringMethod]: () => `${name} ${fc.stringify(own)}` });
  });
}

/** Answers that can be compared: what is left of a lease is a while, and a tag's token is known by when the tag first had it. */
function comparable(): (answer: unknown) => unknown {
  const seen = new Map<number, string[]>();
  const nameOf = ({ tag, token }: TokenOf): string | undefined => {
    if (token === undefined) return undefined;
    const tokens = seen.get(tag) ?? [];
    seen.set(tag, tokens);
    if (!tokens.includes(token)) tokens.push(token);
    return `${token.charAt(0)} ${tokens.indexOf(token)}`;
  };
  return (answer) => {
    if (Array.isArray(answer)) return (answer as readonly TokenOf[]).map(nameOf);
    if (typeof answer !== 'object' || answer === null || !('waitMs' in answer)) return answer;
    return { ...answer, waitMs: Number(answer.waitMs) > 0 ? 'a while' : 0 };
  };
}

describeTopologies((topology) => {
  const prefix = randomPrefix();
  const woken: string[] = [];
  let redis: OpenRedisStore;

  beforeAll(async () => {
    redis = await openRedisStore({ ...sharedRedis(topology), keyPrefix: prefix });
    await redis.store.listen((entry) => woken.push(String(entry)));
  });
  afterAll(() => redis.close());

  it('Redis answers as memory does, and wakes the same waiters, whatever is asked in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const memory = new MemoryStore(systemClock);
        const wokenByMemory: string[] = [];
        await memory.listen((entry) => wokenByMemory.push(String(entry)));
        const keys = [0, 1].map(() => `${prefix}:{${randomUUID()}}`);
        const [ofMemory, ofRedis] = [comparable(), comparable()];
        for (const [i, one] of steps.entries()) {
          const [expected, found] = [ofMemory(await one(memory, keys)), ofRedis(await one(redis.store, keys))];
          expect({ step: i, answer: found }).toEqual({ step: i, answer: expected });
        }
        const own = (list: readonly string[]): string[] => list.filter((entry) => keys.includes(entry)).sort();
        await eventually(() => expect(own(woken)).toEqual(own(wokenByMemory)));
      }),
      { numRuns: 150 },
    );
  });
});

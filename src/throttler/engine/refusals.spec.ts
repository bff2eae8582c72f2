import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { PolicyRegistry } from '../policies/policy-registry.js';
import { Ask } from './ask.js';
import { Refusals } from './refusals.js';
import { Verdict, type PolicyState } from './verdict.js';

const registry = new PolicyRegistry(
  [
    { name: 'window', limit: 100, window: '1m' },
    { name: 'rate', rate: '10/s', burst: 100 },
    { name: 'shadow', limit: 100, window: '1m', shadow: true },
    { name: 'slots', concurrent: 2 },
    { name: 'tiers', limit: (caller) => (caller === undefined ? 10 : 20), window: '1m' },
  ],
  { tracker: () => '', whenRedisIsDown: 'local' },
  'app',
);

const keyOf = (caller: string): string => registry.callerKey(caller);

/** A request of one caller by the policies of these names. */
function request(names: readonly string[], caller = 'alice', units = 1): Ask {
  return new Ask(
    names.map((name) => registry.use(registry.get(name), keyOf(caller), units)),
    0,
  );
}

const state = (retryMs: number, resetMs = 60_000): PolicyState => ({
  remaining: retryMs > 0 ? 0 : 9,
  resetMs,
  retryMs,
});
const refusedFor = (...retriesMs: readonly number[]): Verdict =>
  new Verdict(
    false,
    0,
    retriesMs.map((ms) => state(ms)),
  );
const blockedFor = (ms: number): Verdict => new Verdict(false, ms, []);

describe('Refusals', () => {
  let clock: FakeClock;
  let refusals: Refusals;

  beforeEach(() => {
    clock = new FakeClock();
    refusals = new Refusals(clock, 1_000);
  });

  it('remember a refusal until the moment that the server gave, and not longer', async () => {
    refusals.note(request(['window']), refusedFor(1_500), refusals.moment);
    await clock.advance('1499ms');
    expect(refusals.find(request(['window']))?.admitted).toBe(false);
    await clock.advance('1ms');
    expect(refusals.find(request(['window']))).toBeUndefined();
  });

  it('tell the times as they are by now', async () => {
    refusals.note(
      request(['window', 'rate']),
      new Verdict(false, 0, [state(1_500, 3_000), state(200, 100)]),
      refusals.moment,
    );
    await clock.advance('500ms');
    expect(refusals.find(request(['window', 'rate']))?.states).toEqual([
      { remaining: 0, resetMs: 2_500, retryMs: 1_000 },
      { remaining: 0, resetMs: 0, retryMs: 0 },
    ]);
  });

  it('remember as long as the policy that refuses longest', async () => {
    refusals.note(request(['window', 'rate']), refusedFor(100, 2_000), refusals.moment);
    await clock.advance('1999ms');
    expect(refusals.find(request(['window', 'rate']))).toBeDefined();
    await clock.advance('1ms');
    expect(refusals.find(request(['window', 'rate']))).toBeUndefined();
  });

  it('keep the later one of two refusals of a kind', async () => {
    refusals.note(request(['window']), refusedFor(1_000), refusals.moment);
    await clock.advance('500ms');
    refusals.note(request(['window']), refusedFor(1_000), refusals.moment);
    await clock.advance('999ms');
    expect(refusals.find(request(['window']))?.states[0]?.retryMs).toBe(1);
  });

  it('remember nothing of what was admitted', () => {
    for (const name of ['window', 'shadow']) {
      refusals.note(request([name]), new Verdict(true, 0, [state(1_000)]), refusals.moment);
      expect(refusals.find(request([name]))).toBeUndefined();
    }
  });

  it('take another caller, other policies, another cost or another limit for another kind of request', () => {
    refusals.note(request(['window'], 'alice', 5), refusedFor(1_000), refusals.moment);
    expect(refusals.find(request(['window'], 'alice', 5))).toBeDefined();
    for (const other of [
      request(['window'], 'bob', 5),
      request(['rate'], 'alice', 5),
      request(['window', 'rate'], 'alice', 5),
      request(['window'], 'alice', 4),
    ]) {
      expect(refusals.find(other)).toBeUndefined();
    }
    const tiers = registry.get('tiers');
    const tiered = (limit: number): Ask =>
      new Ask([{ ...registry.use(tiers, keyOf('alice'), 1), definition: tiers.definition(limit, 1) }], 0);
    refusals.note(tiered(10), refusedFor(1_000), refusals.moment);
    expect(refusals.find(tiered(10))).toBeDefined();
    expect(refusals.find(tiered(20))).toBeUndefined();
  });

  it('refuse a blocked caller every kind of request until the block ends', async () => {
    refusals.note(request(['window']), blockedFor(5_000), refusals.moment);
    await clock.advance('2s');
    for (const any of [request(['window']), request(['rate'], 'alice', 7), request(['slots']), request(['shadow'])]) {
      expect(refusals.find(any)).toEqual(new Verdict(false, 3_000, []));
    }
    expect(refusals.find(request(['window'], 'bob'))).toBeUndefined();
    await clock.advance('3s');
    expect(refusals.find(request(['window']))).toBeUndefined();
  });

  it('do not remember which of several callers is blocked, since the server does not say', () => {
    const both = new Ask([...request(['window'], 'alice').uses, ...request(['rate'], 'bob').uses], 0);
    refusals.note(both, blockedFor(5_000), refusals.moment);
    expect(refusals.find(both)).toBeUndefined();
    expect(refusals.find(request(['window'], 'alice'))).toBeUndefined();
    expect(refusals.find(request(['rate'], 'bob'))).toBeUndefined();
  });

  it('know a request of several callers, and forget it with the caller whose policy refused longest', () => {
    const both = new Ask([...request(['window'], 'alice').uses, ...request(['rate'], 'bob').uses], 0);
    refusals.note(both, refusedFor(100, 2_000), refusals.moment);
    expect(refusals.find(both)).toBeDefined();
    expect(refusals.find(request(['window'], 'alice'))).toBeUndefined();
    refusals.forget(keyOf('bob'));
    expect(refusals.find(both)).toBeUndefined();
  });

  it('do not remember what a limit of requests at once refused, which may be over in a moment', () => {
    refusals.note(request(['slots']), refusedFor(1_000), refusals.moment);
    expect(refusals.find(request(['slots']))).toBeUndefined();
  });

  it('remember what another policy refused beside it, or beside one in shadow mode, for as long as that one does', async () => {
    refusals.note(request(['slots', 'window', 'shadow']), refusedFor(1_000, 400, 9_000), refusals.moment);
    await clock.advance('399ms');
    expect(refusals.find(request(['slots', 'window', 'shadow']))).toBeDefined();
    await clock.advance('1ms');
    expect(refusals.find(request(['slots', 'window', 'shadow']))).toBeUndefined();
  });

  it('forget one caller, with the block, and no other', () => {
    for (const caller of ['alice', 'bob']) {
      refusals.note(request(['window'], caller), refusedFor(1_000), refusals.moment);
      refusals.note(request(['window'], caller), blockedFor(1_000), refusals.moment);
    }
    refusals.forget(keyOf('alice'));
    expect(refusals.find(request(['window'], 'alice'))).toBeUndefined();
    expect(refusals.find(request(['window'], 'bob'))).toBeDefined();
    refusals.clear();
    expect(refusals.find(request(['window'], 'bob'))).toBeUndefined();
  });

  it('do not remember a refusal that was under way when its caller was forgotten, or everybody was', () => {
    const before = refusals.moment;
    refusals.forget(keyOf('alice'));
    refusals.note(request(['window'], 'alice'), refusedFor(1_000), before);
    refusals.note(request(['window'], 'bob'), refusedFor(1_000), before);
    expect(refusals.find(request(['window'], 'alice'))).toBeUndefined();
    expect(refusals.find(request(['window'], 'bob'))).toBeDefined();
    refusals.note(request(['window'], 'alice'), refusedFor(1_000), refusals.moment);
    expect(refusals.find(request(['window'], 'alice'))).toBeDefined();
    refusals.clear();
    refusals.note(request(['window'], 'carol'), blockedFor(1_000), before);
    expect(refusals.find(request(['window'], 'carol'))).toBeUndefined();
  });

  it('keep 32 kinds of requests of a caller, the latest', () => {
    for (let units = 1; units <= 40; units++) {
      refusals.note(request(['window'], 'alice', units), refusedFor(1_000), refusals.moment);
    }
    const known = Array.from({ length: 40 }, (_, i) => i + 1).filter(
      (units) => refusals.find(request(['window'], 'alice', units)) !== undefined,
    );
    expect(known).toEqual(Array.from({ length: 32 }, (_, i) => i + 9));
  });

  it('keep as many callers as they are told, those who came last', () => {
    const few = new Refusals(clock, 3);
    const callers = ['a', 'b', 'c', 'd', 'e'];
    for (const caller of callers) few.note(request(['window'], caller), refusedFor(1_000), few.moment);
    expect(callers.filter((caller) => few.find(request(['window'], caller)) !== undefined)).toEqual(['c', 'd', 'e']);
  });
});

import { describe, expect, it } from '@jest/globals';
import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { Duration } from '../../core/time/duration.js';
import { FakeClock } from '../../testing/index.js';
import { newLockCounters } from '../lock-counters.js';
import { Claims } from './claims.js';
import { Leavings } from './leavings.js';
import { LockKeys } from './lock-keys.js';
import { Granted, Refused, type LockServers } from './lock-servers.js';
import { Queue } from './queue.js';
import { Wakes } from './wakes.js';

const KEYS = new LockKeys('app:lock:{a}');
const TTL_MS = 30_000;
const FENCE = 1_800_000_000_000_000;

/** A server's word: how long it takes, and what it is. */
type Word = { readonly tookMs?: number } & (
  { readonly error: Error } | { readonly refused: Refused } | { readonly granted: true }
);

const refused = (leaseMs: number, ahead: number, ticket: number): Word => ({
  refused: new Refused(leaseMs, ahead, ticket),
});
const GRANTED: Word = { granted: true };
const away = (mayHaveRun: boolean): Word => ({
  error: new RedisUnavailableError('deadline', { connection: 'default', mayHaveRun }),
});

/** The server's clock is another one. */
function serverUs(clock: FakeClock): number {
  return 1_800_000_000_000_000 + clock.monotonicMs() * 1_000;
}

/** Pub/Sub as far as locks need it. */
class Subscriber {
  listener: ((message: Buffer) => void) | undefined;
  gapListener: (() => void) | undefined;
  stateListener: ((state: string) => void) | undefined;
  state = 'live';
  tries = 0;
  /** Resolves, rejects, or does neither. */
  subscribed: () => Promise<void> = () => Promise.resolve();

  async subscribe(_channel: string, listener: (message: Buffer) => void): Promise<() => void> {
    this.tries += 1;
    await this.subscribed();
    this.listener = listener;
    return () => (this.listener = undefined);
  }

  onGap(listener: () => void): () => void {
    this.gapListener = listener;
    return () => (this.gapListener = undefined);
  }

  onState(listener: (state: string) => void): () => void {
    this.stateListener = listener;
    return () => (this.stateListener = undefined);
  }

  become(state: string): void {
    this.state = state;
    this.stateListener?.(state);
  }

  /** As one says it who hands the lock over now. */
  wake(token: string, clock: FakeClock): void {
    this.say(`${token}:${FENCE + 1}:${serverUs(clock)}:1000`);
  }

  say(message: string): void {
    this.listener?.(Buffer.from(message));
  }
}

/** A queue for which servers answer as told; when they have no more to say, the last word stays. */
function world({
  words,
  isWoken = true,
  grantsByWaking = false,
}: {
  readonly words: Word[];
  readonly isWoken?: boolean;
  readonly grantsByWaking?: boolean;
}) {
  const clock = new FakeClock();
  const subscriber = new Subscriber();
  const connection = { keyPrefix: 'app', subscriber } as unknown as RedisConnection;
  const asked: { readonly atMs: number; readonly ticket: number; readonly claim: string }[] = [];
  const left: { readonly atMs: number; readonly claim: string }[] = [];
  const servers = {
    grantsByWaking,
    ask: async (_keys: LockKeys, claim: string, ttlMs: number, ticket: number): Promise<Granted | Refused> => {
      const sentMs = clock.monotonicMs();
      asked.push({ atMs: sentMs, ticket, claim });
      const word = (words.length > 1 ? words.shift() : words[0]) as Word;
      if (word.tookMs !== undefined) await new Promise<void>((resolve) => clock.setTimeout(resolve, word.tookMs ?? 0));
      if ('error' in word) throw word.error;
      if ('granted' in word) return new Granted(FENCE, sentMs, ttlMs);
      // Who asks for a place gets one.
      const { leaseMs, ahead, ticket: had } = word.refused;
      return new Refused(leaseMs, ahead, ticket >= 0 && had < 0 ? 9 : had, serverUs(clock));
    },
    leave: async (_keys: readonly LockKeys[], claim: string): Promise<boolean> => {
      left.push({ atMs: clock.monotonicMs(), claim });
      return true;
    },
  } as unknown as LockServers;
  const counters = newLockCounters();
  const leavings = new Leavings(servers, clock);
  const wakes = isWoken ? new Wakes(connection, () => undefined) : null;
  const queue = new Queue({ servers, wakes, leavings, clock, counters, connection: 'default' });
  const claims = new Claims(wakes?.channel ?? '', true);
  const ask = (
    waitMs: number,
    {
      signal,
      ttlMs = TTL_MS,
      isOneOfSeveral = false,
    }: { readonly signal?: AbortSignal; readonly ttlMs?: number; readonly isOneOfSeveral?: boolean } = {},
  ) => {
    const claim = claims.next('all', ttlMs);
    const nowMs = clock.monotonicMs();
    const answer = queue.ask({ keys: KEYS, claim, isOneOfSeveral, ttlMs, untilMs: nowMs + waitMs, signal }, nowMs);
    return { claim, token: claim.slice(0, 22), answer: settled(answer) };
  };
  const tickets = (): readonly number[] => asked.map(({ ticket }) => ticket);
  return { clock, subscriber, asked, left, queue, ask, tickets, counters, wakes };
}

/** What became of it, so far. */
function settled<T>(promise: Promise<T>): { value?: T; error?: unknown } {
  const outcome: { value?: T; error?: unknown } = {};
  promise.then(
    (value) => (outcome.value = value),
    (error: unknown) => (outcome.error = error),
  );
  return outcome;
}

async function turn(clock: FakeClock, by: Duration = '0ms'): Promise<void> {
  await clock.advance(by);
  await clock.advance('0ms');
}

describe('a queue', () => {
  it('asks once, and leaves nothing behind, when the lock is free', async () => {
    const { clock, ask, tickets, left, counters } = world({ words: [GRANTED] });
    const { answer } = ask(10_000);
    await turn(clock);
    expect(answer.value).toEqual(new Granted(FENCE, 0, TTL_MS));
    expect([tickets(), left, counters.waited, clock.pendingTimers]).toEqual([[-1], [], 0, 0]);
  });

  it('asks once when nobody wants to wait, and takes no place', async () => {
    const { clock, ask, tickets, left, subscriber, counters } = world({ words: [refused(7_000, 2, -1)] });
    const { answer } = ask(0);
    await turn(clock);
    expect(answer.value).toEqual(new Refused(7_000, 2, -1, serverUs(clock)));
    expect([tickets(), left, subscriber.tries, counters.waited]).toEqual([[-1], [], 0, 0]);
  });

  it('takes a place once it can be woken there, keeps it, and has the lock when it is woken', async () => {
    const { clock, ask, tickets, subscriber, left, counters } = world({
      words: [refused(30_000, 0, -1), refused(30_000, 1, 77), GRANTED],
    });
    const { answer, token } = ask(60_000);
    await turn(clock, '2s');
    expect([tickets(), answer]).toEqual([[-1, 0], {}]);
    subscriber.wake(token, clock);
    await turn(clock);
    expect(answer.value).toEqual(new Granted(FENCE, 2_000, TTL_MS));
    expect([tickets(), left, counters.waited, clock.pendingTimers]).toEqual([[-1, 0, 77], [], 1, 0]);
  });

  it('takes its place with the first command when this process listens already', async () => {
    const { clock, ask, tickets, wakes } = world({ words: [refused(30_000, 0, 5)] });
    await wakes?.listen();
    ask(1_000);
    await turn(clock);
    expect(tickets()).toEqual([0]);
  });

  describe('has it when it is woken, without another question', () => {
    const waiting = async (leftMs: number, { ttlMs = TTL_MS, isOneOfSeveral = false } = {}) => {
      const all = world({ words: [refused(30_000, 0, 5), GRANTED], grantsByWaking: true });
      await all.wakes?.listen();
      const asking = all.ask(60_000, { ttlMs, isOneOfSeveral });
      await turn(all.clock, '2s');
      const say = (atUs: number, leaseMs = 1_000): void =>
        all.subscriber.say(`${asking.token}:${FENCE + 1}:${atUs}:${leaseMs}`);
      const leftUs = serverUs(all.clock);
      await turn(all.clock, `${leftMs}ms`);
      return { ...all, ...asking, say, leftUs };
    };

    it('for as long as it is told, from when it was handed over, as the clock of the server has it', async () => {
      for (const [agoMs, leaseMs] of [
        [0, 1_000],
        [400, 1_000],
        [2_900, TTL_MS],
      ] as const) {
        const { clock, say, leftUs, answer, asked, left } = await waiting(agoMs);
        say(leftUs, leaseMs);
        await turn(clock);
        // Two seconds after the last answer: clocks may run one percent apart, and 2 ms.
        expect(answer.value).toEqual(new Granted(FENCE + 1, 2_000 - 22, leaseMs));
        expect([asked.length, left, clock.pendingTimers]).toEqual([1, [], 0]);
      }
    });

    it.each([
      ['too little is left of the second, since the message was on its way for long', 500, 0, {}],
      ['its lease is shorter than what it cannot know', 0, 0, { ttlMs: 40 }],
      ['the clock of the server was set forward', 0, 10_000, {}],
      ['the clock of the server was set back', 0, -10_000, {}],
      ['it asks for other locks too: it cannot know which one it is', 0, 0, { isOneOfSeveral: true }],
    ])('unless %s: then it asks', async (_, agoMs, setByMs, options) => {
      const { clock, say, leftUs, answer, asked } = await waiting(agoMs, options);
      say(leftUs + setByMs * 1_000);
      await turn(clock);
      expect(asked.length).toBe(2);
      expect(answer.value).toMatchObject({ fence: FENCE });
    });

    it('and gives it back when the caller has gone away at the same time', async () => {
      const { clock, subscriber, ask, left, wakes } = world({ words: [refused(30_000, 0, 5)], grantsByWaking: true });
      await wakes?.listen();
      const controller = new AbortController();
      const { answer, token, claim } = ask(20_000, { signal: controller.signal });
      await turn(clock, '1s');
      subscriber.wake(token, clock);
      controller.abort(new Error('The user has gone away.'));
      await turn(clock);
      expect(answer.error).toBe(controller.signal.reason);
      expect(left).toEqual([{ atMs: 1_000, claim }]);
    });
  });

  it('is not woken by what is for others', async () => {
    const { clock, ask, asked, subscriber, wakes } = world({ words: [refused(30_000, 1, 5)] });
    await wakes?.listen();
    ask(4_000);
    const other = ask(4_000);
    await turn(clock);
    subscriber.wake(other.token, clock);
    subscriber.wake('x'.repeat(22), clock);
    subscriber.say('');
    await turn(clock);
    expect(asked.map(({ claim }) => claim === other.claim)).toEqual([false, true, true]);
  });

  it('gives up when its patience ends, and takes itself out', async () => {
    const { clock, ask, asked, left, wakes } = world({ words: [refused(30_000, 3, 5)] });
    await wakes?.listen();
    const { answer, claim } = ask(2_000);
    await turn(clock, '1999ms');
    expect(answer).toEqual({});
    await turn(clock, '1ms');
    expect(answer.value).toBeInstanceOf(Refused);
    // From when it was told that on.
    expect(answer.value).toMatchObject({ leaseMs: 28_000 });
    expect([asked.length, left, clock.pendingTimers]).toEqual([1, [{ atMs: 2_000, claim }], 0]);
  });

  it('has it when it is woken at the last moment', async () => {
    const { clock, ask, subscriber, left, wakes } = world({
      words: [refused(30_000, 0, 5), { ...GRANTED, tookMs: 50 }],
    });
    await wakes?.listen();
    const { answer, token } = ask(2_000);
    await turn(clock, '1999ms');
    subscriber.wake(token, clock);
    await turn(clock, '51ms');
    expect([answer.value, left]).toEqual([new Granted(FENCE, 1_999, TTL_MS), []]);
  });

  it('rejects with the reason of the signal, at once, and takes itself out', async () => {
    const { clock, ask, left, wakes } = world({ words: [refused(30_000, 0, 5)] });
    await wakes?.listen();
    const controller = new AbortController();
    const { answer, claim } = ask(20_000, { signal: controller.signal });
    await turn(clock, '1s');
    const reason = new Error('The user has gone away.');
    controller.abort(reason);
    await turn(clock);
    expect(answer.error).toBe(reason);
    expect([left, clock.pendingTimers]).toEqual([[{ atMs: 1_000, claim }], 0]);
  });

  it('leaves no listener on a signal that outlives it, however often it was woken', async () => {
    const { clock, ask, subscriber, wakes } = world({
      words: [refused(30_000, 1, 5), refused(30_000, 1, 5), refused(30_000, 0, 5), GRANTED],
    });
    await wakes?.listen();
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const { answer, token } = ask(60_000, { signal });
    for (let i = 0; i < 3; i++) {
      await turn(clock, '1s');
      subscriber.wake(token, clock);
    }
    await turn(clock);
    expect(answer.value).toBeInstanceOf(Granted);
    expect(listeners).toBe(0);
  });

  it('looks for itself when the lease of who has it ends, if it is the first', async () => {
    const { clock, ask, asked, wakes } = world({ words: [refused(300, 0, 5), refused(700, 0, 5), GRANTED] });
    await wakes?.listen();
    const { answer } = ask(60_000);
    await turn(clock, '5s');
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 301, 1_002]);
    expect(answer.value).toBeInstanceOf(Granted);
  });

  it('looks a second after that end, if it is the second: the first may be gone with who had it', async () => {
    const { clock, ask, asked, wakes } = world({ words: [refused(300, 1, 5), refused(700, 1, 5), GRANTED] });
    await wakes?.listen();
    const { answer } = ask(60_000);
    await turn(clock, '5s');
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 1_301, 3_002]);
    expect(answer.value).toBeInstanceOf(Granted);
  });

  it('looks after five to six seconds in any case, since a word may be lost', async () => {
    const { clock, ask, asked, tickets, wakes } = world({ words: [refused(60_000, 4, 5)] });
    await wakes?.listen();
    ask(60_000);
    await turn(clock, '59s');
    const pauses = asked.slice(1).map(({ atMs }, i) => atMs - (asked[i]?.atMs ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(5_000);
    expect(Math.max(...pauses)).toBeLessThan(6_001);
    expect(new Set(pauses).size).toBeGreaterThan(1);
    expect(
      tickets()
        .slice(1)
        .every((ticket) => ticket === 5),
    ).toBe(true);
  });

  it('looks when the lease ends that it is told of, once it has become the first', async () => {
    const { clock, ask, asked, subscriber, wakes } = world({ words: [refused(60_000, 1, 5)] });
    await wakes?.listen();
    const { token } = ask(60_000);
    await turn(clock, '1s');
    subscriber.say(`${token}:1000`);
    await turn(clock, '500ms');
    // Another has it now.
    subscriber.say(`${token}:2000`);
    await turn(clock, '2s');
    expect(asked.length).toBe(1);
    await turn(clock, '1ms');
    expect(asked[1]?.atMs).toBe(3_501);
  });

  it('does not miss a word that is quicker than the answer to its question', async () => {
    for (const [word, atMs] of [
      [`:${FENCE + 1}:0:1000`, 100],
      [':400', 451],
    ] as const) {
      const { clock, ask, asked, subscriber, wakes } = world({
        words: [{ tookMs: 100, ...refused(60_000, 1, 5) }, GRANTED],
      });
      await wakes?.listen();
      const { token, answer } = ask(60_000);
      await turn(clock, '50ms');
      subscriber.say(`${token}${word}`);
      await turn(clock, '2s');
      expect(answer.value).toBeInstanceOf(Granted);
      // What it is told is counted from when it can hear it, at the latest.
      expect(asked[1]?.atMs).toBeGreaterThanOrEqual(Math.min(atMs, 100));
      expect(asked[1]?.atMs).toBeLessThanOrEqual(atMs + 50);
    }
  });

  it.each(['lost', 'doubtful'])(
    'looks twice a second while nothing is to be heard, and not when it is again: %s',
    async (state) => {
      const { clock, ask, asked, subscriber, tickets, wakes } = world({ words: [refused(60_000, 1, 5)] });
      await wakes?.listen();
      ask(60_000);
      await turn(clock, '1s');
      subscriber.become(state);
      await turn(clock);
      expect(tickets()).toEqual([0, 5]);
      await turn(clock, '3s');
      expect(asked.length).toBeGreaterThanOrEqual(2 + 4);
      expect(asked.length).toBeLessThanOrEqual(2 + 6);
      subscriber.become('live');
      subscriber.gapListener?.();
      await turn(clock);
      const { length } = asked;
      await turn(clock, '4900ms');
      expect(asked.length).toBe(length);
    },
  );

  it('asks again after a gap in what it could hear, with its ticket', async () => {
    const { clock, ask, subscriber, tickets, wakes } = world({
      words: [refused(60_000, 1, 5), refused(60_000, 1, 5), GRANTED],
    });
    await wakes?.listen();
    const { answer } = ask(60_000);
    await turn(clock, '1s');
    subscriber.gapListener?.();
    await turn(clock);
    expect([tickets(), answer]).toEqual([[0, 5], {}]);
    subscriber.gapListener?.();
    await turn(clock);
    expect(answer.value).toBeInstanceOf(Granted);
  });

  it('asks again at once when there was a gap before its first answer came: it may have been called, and taken out of the queue', async () => {
    const { clock, ask, subscriber, tickets, wakes } = world({
      words: [{ ...refused(60_000, 1, 5), tookMs: 100 }, refused(60_000, 1, 5)],
    });
    await wakes?.listen();
    ask(60_000);
    await turn(clock, '50ms');
    subscriber.gapListener?.();
    await turn(clock, '50ms');
    await turn(clock);
    expect(tickets()).toEqual([0, 5]);
  });

  it('tries again and again, without a place, where it cannot be woken; and takes one as soon as it can', async () => {
    const { clock, ask, asked, subscriber, tickets } = world({ words: [refused(60_000, 0, -1)] });
    subscriber.subscribed = () => Promise.reject(new Error('NOPERM'));
    ask(60_000);
    await turn(clock, '1s');
    expect(asked.length).toBeGreaterThan(1_000 / 80);
    expect(asked.length).toBeLessThan(1_000 / 20 + 2);
    expect(new Set(tickets())).toEqual(new Set([-1]));
    subscriber.subscribed = () => Promise.resolve();
    await turn(clock, '200ms');
    expect(tickets().at(-1)).toBe(0);
  });

  it('gives up in time also where it cannot be woken', async () => {
    const { clock, ask, left } = world({ words: [refused(60_000, 0, -1)], isWoken: false });
    const { answer, claim } = ask(1_000);
    await turn(clock, '1s');
    expect(answer.value).toBeInstanceOf(Refused);
    expect([left, clock.pendingTimers]).toEqual([[{ atMs: 1_000, claim }], 0]);
  });

  it('takes a grant for none whose lease may have ended when it came, and asks again while there is time', async () => {
    const { clock, ask, asked, left, wakes } = world({
      words: [
        { ...GRANTED, tookMs: 950 },
        { ...GRANTED, tookMs: 10 },
      ],
    });
    await wakes?.listen();
    const { answer } = ask(60_000, { ttlMs: 1_000 });
    await turn(clock, '2s');
    expect(answer.value).toEqual(new Granted(FENCE, asked[1]?.atMs as number, 1_000));
    expect([asked.length, left]).toEqual([2, []]);
  });

  it('gives a late grant back when there is no time left, and never asks with that claim again', async () => {
    for (const waitMs of [0, 500]) {
      const { clock, ask, asked, left, wakes } = world({ words: [{ ...GRANTED, tookMs: 950 }, GRANTED] });
      await wakes?.listen();
      const { answer, claim } = ask(waitMs, { ttlMs: 1_000 });
      await turn(clock, '5s');
      expect(answer.value).toBeInstanceOf(Refused);
      expect([asked.length, left]).toEqual([1, [{ atMs: 950, claim }]]);
    }
  });

  it('rejects when Redis is away, and gives back what it may have been granted unheard', async () => {
    for (const mayHaveRun of [true, false]) {
      const { clock, ask, left, wakes } = world({ words: [away(mayHaveRun)] });
      await wakes?.listen();
      const { answer, claim } = ask(60_000);
      await turn(clock);
      expect(answer.error).toBeInstanceOf(RedisUnavailableError);
      expect(left.map((one) => one.claim)).toEqual(mayHaveRun ? [claim] : []);
    }
  });

  it('rejects when Redis goes away while it waits, and takes itself out, once', async () => {
    const { clock, ask, left, subscriber, wakes } = world({ words: [refused(60_000, 0, 5), away(true)] });
    await wakes?.listen();
    const { answer, claim, token } = ask(60_000);
    await turn(clock, '1s');
    subscriber.wake(token, clock);
    await turn(clock);
    expect(answer.error).toBeInstanceOf(RedisUnavailableError);
    expect([left, clock.pendingTimers]).toEqual([[{ atMs: 1_000, claim }], 0]);
  });

  it('rejects with what is not about Redis being away as it is', async () => {
    const strange = new Error('NOPERM');
    const { clock, ask } = world({ words: [{ error: strange }] });
    const { answer } = ask(60_000);
    await turn(clock);
    expect(answer.error).toBe(strange);
  });

  it('rejects all who wait when the application shuts down, and takes them out', async () => {
    for (const isWoken of [true, false]) {
      const { clock, ask, left, queue, wakes } = world({ words: [refused(60_000, 0, isWoken ? 5 : -1)], isWoken });
      await wakes?.listen();
      const all = [ask(60_000), ask(60_000)];
      await turn(clock, '10ms');
      queue.close();
      await turn(clock);
      for (const { answer } of all) expect(answer.error).toMatchObject({ reason: 'closing', mayHaveRun: false });
      expect(left.map(({ claim }) => claim).sort()).toEqual(all.map(({ claim }) => claim).sort());
      expect(clock.pendingTimers).toBe(0);
    }
  });
});

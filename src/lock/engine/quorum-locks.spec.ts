import { describe, expect, it } from '@jest/globals';
import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { Duration } from '../../core/time/duration.js';
import { FakeClock } from '../../testing/index.js';
import { LockKeys } from './lock-keys.js';
import { Granted, NO_QUEUE, Refused, type LockServers } from './lock-servers.js';
import { QuorumLocks } from './quorum-locks.js';

const KEYS = new LockKeys('app:lock:{a}');
const TTL_MS = 10_000;

/** One server, with one lock. */
class Server implements LockServers {
  readonly grantsByWaking = false;
  holder: string | null = null;
  fence = 0;
  /** How long a command takes to get there, and its answer to come back. */
  thereMs = 1;
  backMs = 1;
  fault: Error | null = null;
  readonly seen: string[] = [];

  constructor(
    readonly clock: FakeClock,
    /** What its clock says more than others do. */
    public aheadMs = 0,
  ) {}

  isOneStep(): boolean {
    return true;
  }

  ask(_keys: LockKeys, claim: string, ttlMs: number, ticket: number): Promise<Granted | Refused> {
    const sentMs = this.clock.monotonicMs();
    return this.#run(`ask ${claim} ${ticket}`, () => {
      if (this.holder !== null && this.holder !== claim) return new Refused(7_000, 0, NO_QUEUE);
      this.holder = claim;
      this.fence = Math.max(this.fence + 1, this.clock.monotonicMs() + this.aheadMs);
      return new Granted(this.fence, sentMs, ttlMs);
    });
  }

  askAll(): Promise<null> {
    return Promise.resolve(null);
  }

  extend(_keys: readonly LockKeys[], claim: string, _ttlMs: number, fence: number): Promise<boolean> {
    return this.#run(`extend ${claim}`, () => {
      if (this.holder !== claim) return false;
      this.fence = Math.max(this.fence, fence);
      return true;
    });
  }

  leave(_keys: readonly LockKeys[], claim: string): Promise<boolean> {
    return this.#run(`leave ${claim}`, () => {
      if (this.holder !== claim) return false;
      this.holder = null;
      return true;
    });
  }

  clear(): Promise<number> {
    return this.#run('clear', () => {
      const had = this.holder === null ? 0 : 1;
      this.holder = null;
      return had;
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #run<Answer>(what: string, act: () => Answer): Promise<Answer> {
    this.seen.push(what);
    await sleep(this.clock, this.thereMs);
    if (this.fault !== null) throw this.fault;
    const answer = act();
    await sleep(this.clock, this.backMs);
    return answer;
  }
}

function sleep(clock: FakeClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimeout(resolve, ms));
}

const away = (): Error => new RedisUnavailableError('deadline', { connection: 'one', mayHaveRun: true });

function world(count: number) {
  const clock = new FakeClock();
  const servers = Array.from({ length: count }, (_, i) => new Server(clock, i * 1_000));
  const locks = new QuorumLocks(servers, clock, 'a, b, c');
  const holders = (): readonly (string | null)[] => servers.map(({ holder }) => holder);
  return { clock, servers, locks, holders };
}

/** What becomes of it, and how much time that took. */
async function within<T>(
  clock: FakeClock,
  promise: Promise<T>,
  by: Duration = '1m',
): Promise<{ readonly value?: T; readonly error?: unknown; readonly tookMs: number }> {
  const startMs = clock.monotonicMs();
  const outcome = promise.then(
    (value) => ({ value, tookMs: clock.monotonicMs() - startMs }),
    (error: unknown) => ({ error, tookMs: clock.monotonicMs() - startMs }),
  );
  await clock.advance(by);
  return outcome;
}

describe('a quorum', () => {
  it.each([
    [1, 0],
    [2, 0],
    [3, 1],
    [4, 1],
    [5, 2],
  ])('of %d servers grants what a majority grants, with %d of them dead', async (count, dead) => {
    const { clock, servers, locks, holders } = world(count);
    for (const server of servers.slice(0, dead)) server.fault = away();
    const { value } = await within(clock, locks.ask(KEYS, 'mine', TTL_MS));
    expect(value).toBeInstanceOf(Granted);
    expect(holders().filter((holder) => holder === 'mine').length).toBe(count - dead);
  });

  it.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 3],
  ])('of %d servers is away when %d of them are, and gives back what the others granted', async (count, dead) => {
    const { clock, servers, locks, holders } = world(count);
    for (const server of servers.slice(count - dead)) server.fault = away();
    const { error } = await within(clock, locks.ask(KEYS, 'mine', TTL_MS));
    expect(error).toBeInstanceOf(RedisUnavailableError);
    expect(error).toMatchObject({ reason: 'deadline', mayHaveRun: true });
    expect((error as Error).message).toContain('a, b, c');
    expect(holders()).toEqual(holders().map(() => null));
  });

  it('waits for no server that the outcome does not depend on', async () => {
    const { clock, servers, locks } = world(3);
    (servers[1] as Server).thereMs = 5_000;
    const { value, tookMs } = await within(clock, locks.ask(KEYS, 'mine', TTL_MS));
    expect(value).toBeInstanceOf(Granted);
    // Asked, and told of the fence.
    expect(tookMs).toBe(4);
  });

  it('counts the lease from when the first command left', async () => {
    const { clock, servers, locks } = world(3);
    await clock.advance('3s');
    for (const server of servers) [server.thereMs, server.backMs] = [500, 500];
    const { value } = await within(clock, locks.ask(KEYS, 'mine', TTL_MS));
    expect(value).toMatchObject({ sentMs: 3_000 });
  });

  it('has the greatest fence of its majority, which a majority knows before the lock counts', async () => {
    const { clock, servers, locks } = world(3);
    const fences: number[] = [];
    for (const dead of [0, 1, 2, 0, 2, 1]) {
      servers.forEach((server, i) => (server.fault = i === dead ? away() : null));
      const { value } = await within(clock, locks.ask(KEYS, `mine ${fences.length}`, TTL_MS));
      const { fence } = value as Granted;
      expect(servers.filter((server) => server.fence >= fence).length).toBeGreaterThanOrEqual(2);
      fences.push(fence);
      for (const server of servers) server.holder = null;
    }
    expect(fences).toEqual([...fences].sort((a, b) => a - b));
    expect(new Set(fences).size).toBe(fences.length);
  });

  it('grants nothing when a majority comes too late, and gives it back', async () => {
    const { clock, servers, locks, holders } = world(3);
    for (const server of servers.slice(1)) server.backMs = 9_900;
    const { value } = await within(clock, locks.ask(KEYS, 'mine', TTL_MS));
    expect(value).toBeInstanceOf(Refused);
    expect(holders()).toEqual([null, null, null]);
  });

  it('grants nothing when the fence cannot be made known, and gives it back', async () => {
    const { clock, servers, locks, holders } = world(3);
    const asked = locks.ask(KEYS, 'mine', TTL_MS);
    await clock.advance('2ms');
    for (const server of servers.slice(1)) server.fault = away();
    const outcome = within(clock, asked, '100ms');
    await clock.advance('100ms');
    for (const server of servers) server.fault = null;
    const { value, error } = await outcome;
    expect(value ?? error).not.toBeInstanceOf(Granted);
    await clock.advance('1m');
    expect(holders()).toEqual([null, null, null]);
  });

  it('refuses what a majority refuses, and says when the first of their leases ends', async () => {
    const { clock, servers, locks, holders } = world(3);
    for (const server of servers.slice(1)) server.holder = 'another';
    const { value } = await within(clock, locks.ask(KEYS, 'mine', TTL_MS));
    expect(value).toEqual(new Refused(7_000, 0, NO_QUEUE));
    expect(holders()).toEqual([null, 'another', 'another']);
    expect(servers.map(({ seen }) => seen[0])).toEqual(['ask mine -1', 'ask mine -1', 'ask mine -1']);
  });

  it('grants to nobody when callers split the servers among them, keeps nobody hanging, and gives everything back', async () => {
    for (const delays of [
      [
        [1, 5],
        [5, 1],
      ],
      [
        [1, 5, 9],
        [9, 1, 5],
        [5, 9, 1],
      ],
    ]) {
      const { clock, servers, locks, holders } = world(delays.length);
      const all = delays.map((thereMs, caller) => {
        servers.forEach((server, i) => (server.thereMs = thereMs[i] ?? 0));
        return locks.ask(KEYS, `caller ${caller}`, TTL_MS);
      });
      await clock.advance('2ms');
      expect(holders()).toEqual(delays.map((_, i) => `caller ${i}`));
      const { value } = await within(clock, Promise.all(all), '100ms');
      expect(value?.map((answer) => answer instanceof Refused)).toEqual(delays.map(() => true));
      expect([holders(), clock.pendingTimers]).toEqual([delays.map(() => null), 0]);
    }
  });

  it('gives back only once a slow server has answered, so that no late grant stays', async () => {
    const { clock, servers, locks, holders } = world(3);
    for (const server of servers.slice(1)) server.holder = 'another';
    (servers[0] as Server).thereMs = 150;
    const { value, tookMs } = await within(clock, locks.ask(KEYS, 'mine', TTL_MS));
    expect(value).toBeInstanceOf(Refused);
    expect(tookMs).toBeGreaterThanOrEqual(150);
    expect(holders()).toEqual([null, 'another', 'another']);
  });

  it('gives back to a server that was away, as soon as it is back', async () => {
    const { clock, servers, locks, holders } = world(3);
    const first = servers[0] as Server;
    for (const server of servers.slice(1)) server.holder = 'another';
    const asked = locks.ask(KEYS, 'mine', TTL_MS);
    await clock.advance('1ms');
    expect(first.holder).toBe('mine');
    first.fault = away();
    const { value } = await within(clock, asked, '1s');
    expect([value instanceof Refused, first.holder]).toEqual([true, 'mine']);
    first.fault = null;
    await clock.advance('10s');
    expect([holders()[0], clock.pendingTimers]).toEqual([null, 0]);
  });

  it('says no when most servers are away or refuse, whichever of them is the first to say so', async () => {
    for (const slow of [0, 1, 2]) {
      const { clock, servers, locks } = world(3);
      (servers[0] as Server).holder = 'another';
      (servers[1] as Server).fault = away();
      (servers[2] as Server).fault = away();
      (servers[slow] as Server).thereMs = 50;
      const { error } = await within(clock, locks.ask(KEYS, 'mine', TTL_MS));
      expect(error).toBeInstanceOf(RedisUnavailableError);
    }
  });

  it('hides no error that is not about Redis being away', async () => {
    const { clock, servers, locks } = world(3);
    const strange = new Error('NOPERM');
    (servers[0] as Server).fault = away();
    (servers[2] as Server).fault = strange;
    expect((await within(clock, locks.ask(KEYS, 'mine', TTL_MS))).error).toBe(strange);
    expect((await within(clock, locks.extend([KEYS], 'mine', TTL_MS, 0))).error).toBe(strange);
  });

  it('prolongs what a majority prolongs; has lost what a majority has lost; and does not know when neither says so', async () => {
    const { clock, servers, locks } = world(3);
    await within(clock, locks.ask(KEYS, 'mine', TTL_MS));
    const extend = () => within(clock, locks.extend([KEYS], 'mine', TTL_MS, 0));
    expect((await extend()).value).toBe(true);
    (servers[0] as Server).holder = 'another';
    expect((await extend()).value).toBe(true);
    (servers[1] as Server).fault = away();
    expect((await extend()).error).toBeInstanceOf(RedisUnavailableError);
    (servers[1] as Server).fault = null;
    (servers[1] as Server).holder = null;
    expect((await extend()).value).toBe(false);
  });

  it('lets go at every server, also at one that is away for a while', async () => {
    const { clock, servers, locks, holders } = world(3);
    await within(clock, locks.ask(KEYS, 'mine', TTL_MS));
    (servers[0] as Server).fault = away();
    const untilMs = clock.monotonicMs() + TTL_MS;
    expect((await within(clock, locks.leave([KEYS], 'mine', untilMs), '1s')).value).toBe(true);
    expect(holders()).toEqual(['mine', null, null]);
    (servers[0] as Server).fault = null;
    await clock.advance('10s');
    expect([holders(), clock.pendingTimers]).toEqual([[null, null, null], 0]);
  });

  it('says when a majority had lost it before it was let go', async () => {
    const { clock, servers, locks } = world(3);
    await within(clock, locks.ask(KEYS, 'mine', TTL_MS));
    for (const server of servers.slice(1)) server.holder = 'another';
    expect((await within(clock, locks.leave([KEYS], 'mine', clock.monotonicMs() + TTL_MS))).value).toBe(false);
  });

  it('is cleared when a majority is', async () => {
    const { clock, servers, locks, holders } = world(3);
    for (const server of servers) server.holder = 'another';
    (servers[0] as Server).fault = away();
    expect((await within(clock, locks.clear(KEYS))).value).toBe(1);
    expect(holders()).toEqual(['another', null, null]);
    (servers[1] as Server).fault = away();
    expect((await within(clock, locks.clear(KEYS))).error).toBeInstanceOf(RedisUnavailableError);
  });

  it('knows no queue and no single step for several locks', async () => {
    const { locks } = world(3);
    expect([locks.isOneStep(), await locks.askAll()]).toEqual([false, null]);
  });
});

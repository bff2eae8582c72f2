import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Cluster, Redis } from 'ioredis';
import { LockKeys } from '../../../src/lock/engine/lock-keys.js';
import { fenceText } from '../../../src/lock/engine/lock-servers.js';
import { lockExtend, lockTakeAll, lockTurn } from '../../../src/lock/lock.scripts.gen.js';
import { eventually } from '../../../src/testing/index.js';
import {
  describeTopologies,
  expectNoLeakedConnections,
  randomPrefix,
  sharedRedis,
  type SharedTopology,
} from '../../support/redis.js';
import { LockOracle, Witness, type Claim, type Effects } from './oracle.js';
import { TimedScripts, type Ran } from './timed-scripts.js';

expectNoLeakedConnections();

/** An hour, in microseconds. */
const HOUR_US = 3_600_000_000;
const START_US = 1_800_000_000_000_000;
/** A lock is remembered for so long after its last lease. */
const RETAIN_MS = 60_000;
const RESERVED_MS = 1_000;
/** The time to live of a key goes by the server's own clock, which goes on while a script runs on a busy machine. */
const SLACK_MS = 500;
/** A lease is kept in whole milliseconds counted from a fence: nearer to its end than that, nothing is promised. */
const BLUR_US = 1_001;
const ACTORS = 6;
const READER = { permits: 1, limit: 999_999_999 };

type Share = Claim['share'];
type Wait = number | 'just before an end' | 'just after an end';

/** One of those who ask for a lock again and again. */
interface Who {
  readonly number: number;
  readonly of: 'all' | 'who have it' | 'who wait';
}

type Step =
  | { readonly kind: 'ask'; readonly who: Who; readonly ttlMs: number; readonly ticket: 'none' | 'end' | 'its own' }
  /** Forgets what it has, or waits for, as one that has died and started anew. */
  | { readonly kind: 'come'; readonly who: Who; readonly share: Share; readonly channel: number }
  | { readonly kind: 'leave'; readonly who: Who }
  | { readonly kind: 'clear' }
  | { readonly kind: 'extend'; readonly who: Who; readonly ttlMs: number; readonly aheadUs: number | null }
  | { readonly kind: 'take all'; readonly ttlMs: number; readonly locks: readonly number[] }
  /** A channel is listened to from now on, or not any more. */
  | { readonly kind: 'turn'; readonly channel: number };

interface TimedStep {
  readonly wait: Wait;
  readonly lock: number;
  readonly step: Step;
}

interface Script {
  readonly shares: readonly Share[];
  readonly steps: readonly TimedStep[];
}

interface Actor {
  claim: Claim;
  ticket: number;
}

interface Message {
  readonly text: string;
  readonly isOptional: boolean;
}

const NO_EFFECTS: Effects = { woken: [], isChanged: false, mustTell: null };

const who = fc.record<Who>({
  number: fc.nat({ max: ACTORS - 1 }),
  of: fc.constantFrom('all', 'who have it', 'who wait'),
});
const ttlMs = fc.oneof(fc.constantFrom(10, 1_000, 30_000), fc.integer({ min: 10, max: 100_000 }));
const forwards: fc.Arbitrary<Wait> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<Wait>(0, 1) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 2_000_000 }) },
  { weight: 4, arbitrary: fc.constantFrom<Wait>('just before an end', 'just after an end', 'just after an end') },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 200_000_000 }) },
);
/** The clock is set, too. */
const anyWait: fc.Arbitrary<Wait> = fc.oneof(
  { weight: 6, arbitrary: forwards },
  { weight: 1, arbitrary: fc.integer({ min: -2 * HOUR_US, max: 2 * HOUR_US }) },
  { weight: 1, arbitrary: fc.integer({ min: -2_000_000, max: 2_000_000 }) },
);

const ask: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('ask' as const),
  who,
  ttlMs,
  ticket: fc.constantFrom('none', 'end', 'end', 'end', 'its own', 'its own'),
});
const leave: fc.Arbitrary<Step> = fc.record({ kind: fc.constant('leave' as const), who });
const extend: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('extend' as const),
  who,
  ttlMs,
  aheadUs: fc.oneof(fc.constant(null), fc.constant(null), fc.integer({ min: -HOUR_US, max: HOUR_US })),
});
const clear = fc.constant<Step>({ kind: 'clear' });
const turn = fc.constant<Step>({ kind: 'turn', channel: 1 });
const takeAll: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('take all' as const),
  ttlMs,
  locks: fc.constantFrom([0], [1], [0, 1]),
});

const permits = fc.integer({ min: 1, max: 3 });
const anyShare = fc.oneof(
  fc.constant<Share>(null),
  permits.chain((limit) => fc.integer({ min: 1, max: limit }).map((own): Share => ({ permits: own, limit }))),
);
const SHARES: readonly (readonly [string, fc.Arbitrary<Share>])[] = [
  ['a mutex', fc.constant(null)],
  ['a semaphore', fc.constantFrom(1, 1, 1, 2, 3).map((own) => ({ permits: own, limit: 3 }))],
  ['readers and writers', fc.constantFrom<Share[]>(null, READER, READER)],
  ['all at once', anyShare],
];

function scripts(shares: fc.Arbitrary<Share>, wait: fc.Arbitrary<Wait>, isCounted: boolean): fc.Arbitrary<Script> {
  // Nobody ever listens to the last channel.
  const channel = fc.constantFrom(0, 0, 1, 1, 2);
  const come: fc.Arbitrary<Step> = fc.record({ kind: fc.constant('come' as const), who, share: shares, channel });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 14, arbitrary: ask },
    { weight: 4, arbitrary: come },
    { weight: 4, arbitrary: leave },
    { weight: 1, arbitrary: clear },
    { weight: 3, arbitrary: extend },
    { weight: 1, arbitrary: takeAll },
    // Who stops listening on a cluster does not get what is on its way.
    { weight: isCounted ? 1 : 0, arbitrary: turn },
  );
  const timed = fc.record({ wait, lock: fc.constantFrom(0, 0, 0, 0, 0, 1), step });
  return fc.record({
    shares: fc.array(shares, { minLength: ACTORS, maxLength: ACTORS }),
    steps: fc.array(timed, { minLength: 1, maxLength: 50, size: 'max' }),
  });
}

function clientOf(topology: SharedTopology): Redis | Cluster {
  if (topology === 'standalone') return new Redis(sharedRedis('standalone').url);
  return new Cluster([...sharedRedis('cluster').cluster.nodes]);
}

describeTopologies((topology) => {
  /** fast-check prints the seed of a run that fails; nothing here depends on the real time, so that the seed repeats it. It makes a failing run shorter for a while. */
  const RUNS = { numRuns: topology === 'standalone' ? 80 : 6, interruptAfterTimeLimit: 30_000 };
  /** A node of a cluster knows nothing of those who listen at other nodes. */
  const isCounted = topology === 'standalone';
  const prefix = randomPrefix();
  const channels = [0, 1, 2].map((i) => `${prefix}:channel:${i}`);
  const heard = new Set<string>();
  const messages: string[] = [];
  let client: Redis | Cluster;
  let subscriber: Redis | Cluster;
  let timed: TimedScripts;
  let count = 0;

  beforeAll(() => {
    client = clientOf(topology);
    subscriber = clientOf(topology);
    timed = new TimedScripts(client);
    subscriber.on('message', (channel: string, text: string) => messages.push(`${channel} ${text}`));
  });
  afterAll(() => {
    client.disconnect();
    subscriber.disconnect();
  });

  function newClaim(share: Share, channel: number): Claim {
    // As random as the real ones, so that their order says nothing.
    const token = `${randomBytes(8).toString('hex')}${String(++count).padStart(6, '0')}`;
    const extent = share === null ? '' : `${share.permits}/${share.limit}`;
    const name = channels[channel] as string;
    const ttlMs = [40, 1_000, 30_000][count % 3] as number;
    const id = `${token}${extent}${isCounted ? '@' : '~'}${ttlMs}:${name}`;
    return { id, ttlMs, token, share, channel: name, isCounted };
  }

  async function hear(channel: string): Promise<void> {
    if (heard.has(channel)) return;
    heard.add(channel);
    await subscriber.subscribe(channel);
  }

  /** All messages have come once the answer to what was asked after them has; on a cluster they come by way of other nodes, some time later. */
  async function expectMessages(expected: readonly Message[], isOwn: (message: string) => boolean): Promise<void> {
    if (isCounted) {
      await subscriber.ping();
      expectInOrder(messages.filter(isOwn), expected);
    } else await eventually(() => expectInOrder(messages.filter(isOwn), expected));
    messages.length = 0;
  }

  /** A lock, with everybody who ever asked for it. */
  class World {
    readonly keys: LockKeys;
    readonly oracle = new LockOracle((channel) => heard.has(channel));
    readonly witness = new Witness();
    readonly actors: readonly Actor[];
    /** When somebody last asked. */
    askedUs = 0;
    latestTicket = 0;
    lastFence = 0;
    /** All of them are gone, and the state may not know it yet. */
    hasLostQueue = false;
    /** No key has a reason to be there for longer. */
    #neededUntilUs = 0;

    constructor(lock: string, shares: readonly Share[]) {
      this.keys = new LockKeys(lock);
      this.actors = shares.map((share, i) => ({ claim: newClaim(share, i % 2), ticket: 0 }));
    }

    actor({ number, of }: Who, nowUs: number): Actor {
      const all = this.actors.filter(({ claim }) => {
        if (of === 'all') return true;
        return of === 'who wait' ? this.oracle.waits(claim) : this.oracle.has(claim, nowUs);
      });
      return (all[number % all.length] ?? this.actors[number]) as Actor;
    }

    /** What was kept for long enough is gone. */
    forget(nowUs: number): void {
      const { lock, shares, queue } = this.keys;
      const [isLockGone, , isQueueGone] = [lock, shares, queue].map((key) => timed.isGone(key, nowUs));
      if (isQueueGone === true && this.oracle.waiting > 0) {
        // Those who wait have asked again by then.
        expect(nowUs - this.askedUs).toBeGreaterThanOrEqual(RETAIN_MS * 1_000);
        this.oracle.loseQueue();
        this.hasLostQueue = true;
      }
      if (isLockGone === true && this.oracle.fence > 0) {
        expect(nowUs).toBeGreaterThan(this.oracle.fence);
        this.oracle.forgetFence();
      }
    }

    /** Later than all before, unless the clock was set back after it had been forgotten. */
    gotFences(fences: readonly number[], isClockSet: boolean): void {
      for (const fence of [...fences].sort((a, b) => a - b)) {
        if (!isClockSet && fence <= this.lastFence) expect(fence).toBeGreaterThan(this.lastFence);
        this.lastFence = fence;
      }
    }

    need(nowUs: number, forMs: number): void {
      this.#neededUntilUs = Math.max(this.#neededUntilUs, Math.max(nowUs, this.oracle.fence) + forMs * 1_000);
    }

    check(nowUs: number, look: readonly number[], ttlsMs: readonly number[]): void {
      const [fence = NaN, wholeMs = NaN, waiting, ...shares] = look;
      const { wholeMs: expectedMs, shares: expectedShares } = this.oracle.holders(nowUs);
      expectSame(
        { fence, wholeMs: about(wholeMs, expectedMs), waiting, shares: inWords(shares) },
        { fence: this.oracle.fence, wholeMs: expectedMs, waiting: this.oracle.waiting, shares: expectedShares },
      );
      const lastUs = Math.max(0, ...this.oracle.endsUs.filter((endsUs) => endsUs > nowUs));
      const [lockMs = NaN, ...othersMs] = ttlsMs;
      const leastMs = lastUs > 0 ? (lastUs - nowUs) / 1_000 + RETAIN_MS - SLACK_MS : -Infinity;
      const longestMs = (this.#neededUntilUs - nowUs) / 1_000 + RETAIN_MS + SLACK_MS;
      const isWrong =
        lockMs < leastMs ||
        othersMs.some((lifeMs) => lifeMs > lockMs + SLACK_MS) ||
        ttlsMs.some((lifeMs) => lifeMs === -1 || (lifeMs > 0 && lifeMs > longestMs));
      if (isWrong) {
        expect({ ttlsMs, leastMs, longestMs }).toBe('keys that live for as long as they are needed, and no longer');
      }
      this.witness.check(nowUs);
    }
  }

  /** One run: its time, its locks, and what it makes everybody hear. */
  class Play {
    #nowUs = START_US + count;
    #isClockSet = false;
    readonly #messages: Message[] = [];
    readonly #tokens = new Set<string>();
    readonly #worlds: readonly World[];

    constructor(shares: readonly Share[]) {
      const tag = `${prefix}:{${++count}}`;
      this.#worlds = [new World(`${tag}:0`, shares), new World(`${tag}:1`, shares)];
      for (const { actors } of this.#worlds) for (const { claim } of actors) this.#tokens.add(claim.token);
    }

    async take({ wait, lock, step }: TimedStep): Promise<void> {
      this.#pass(wait);
      for (const one of this.#worlds) {
        one.forget(this.#nowUs);
        one.witness.check(this.#nowUs);
      }
      const world = this.#worlds[lock] as World;
      if (step.kind === 'ask') await this.#ask(world, step);
      else if (step.kind === 'come') this.#come(world, step);
      else if (step.kind === 'leave') await this.#leave(world, world.actor(step.who, this.#nowUs).claim);
      else if (step.kind === 'clear') await this.#leave(world, null);
      else if (step.kind === 'extend') await this.#extend(world, step);
      else if (step.kind === 'take all') await this.#takeAll(step);
      else await this.#turn(channels[step.channel] as string);
    }

    async end(): Promise<void> {
      // The last ones of an earlier run may come only now.
      await expectMessages(this.#messages, (message) => this.#tokens.has(tokenIn(message)));
    }

    #pass(wait: Wait): void {
      const now = this.#nowUs;
      if (typeof wait !== 'number') {
        const next = Math.min(...this.#endsUs.filter((endsUs) => endsUs > now + 2 * BLUR_US));
        if (next !== Infinity) this.#nowUs = wait === 'just after an end' ? next + BLUR_US : next - BLUR_US;
      } else if (wait < 0) {
        this.#isClockSet = true;
        // A lease that has ended lives again when the clock is set back, unless somebody has looked. Nothing is promised of that.
        const lapsed = this.#endsUs.filter((endsUs) => endsUs <= now);
        this.#nowUs = Math.max(now + wait, ...lapsed.map((endsUs) => endsUs + BLUR_US));
      } else this.#nowUs += wait;
      while (this.#endsUs.some((endsUs) => Math.abs(endsUs - this.#nowUs) < BLUR_US)) this.#nowUs += BLUR_US;
    }

    async #ask(world: World, { who: one, ttlMs: forMs, ticket: place }: Step & { kind: 'ask' }): Promise<void> {
      const { oracle } = world;
      const nowUs = this.#nowUs;
      const actor = world.actor(one, nowUs);
      const ticket = place === 'none' ? -1 : place === 'end' ? 0 : actor.ticket;
      const expected = oracle.ask(nowUs, actor.claim, forMs, ticket);
      world.askedUs = nowUs;
      world.need(nowUs, Math.max(forMs, RESERVED_MS));
      const args = { claim: actor.claim.id, ttlMs: String(forMs), ticket: String(ticket) };
      const ran = await timed.run(nowUs, lockTurn, world.keys, args, [world.keys]);
      if ('fence' in expected) {
        expectSame(ran.reply, expected.fence);
        world.witness.got(actor.claim, nowUs + forMs * 1_000);
      } else {
        const [leaseMs, ahead, given, atUs] = ran.reply as readonly [number, number, number, number];
        expectSame(atUs, nowUs);
        const { leaseMs: expectedMs } = expected;
        expectSame({ leaseMs: about(leaseMs, expectedMs), ahead }, { leaseMs: expectedMs, ahead: expected.ahead });
        if (expected.isQueued) this.#seeTicket(world, actor, ticket, given);
        else expect(given).toBe(-1);
        // The first who asks once the queue is gone writes that down.
        if (!expected.isQueued && !expected.isChanged && !world.hasLostQueue) expectSame(ran.written, []);
      }
      world.hasLostQueue = false;
      this.#see(world, expected, ran);
    }

    #come(world: World, { who: one, share, channel }: Step & { kind: 'come' }): void {
      const claim = newClaim(share, channel);
      this.#tokens.add(claim.token);
      world.actor(one, this.#nowUs).claim = claim;
    }

    #seeTicket(world: World, actor: Actor, asked: number, given: number): void {
      const { oracle } = world;
      const had = oracle.ticketOf(actor.claim);
      if (had !== null || asked > 0) expect(given).toBe(had ?? asked);
      else {
        // Later than all who wait, and than those who were taken out and may come back.
        expect(given).toBeGreaterThan(oracle.lastTicket);
        if (this.#nowUs > world.latestTicket) expect(given).toBeGreaterThan(world.latestTicket);
      }
      world.latestTicket = Math.max(world.latestTicket, given);
      actor.ticket = given;
      oracle.queue(actor.claim, given);
    }

    async #leave(world: World, claim: Claim | null): Promise<void> {
      const { oracle, witness } = world;
      const nowUs = this.#nowUs;
      // Whether one had it whose lease has ended, and whom nobody has followed, is all the same.
      const mayHaveHad = claim !== null && !oracle.has(claim, nowUs) && oracle.endsUs.length > 0;
      const expected = claim === null ? oracle.clear(nowUs) : oracle.leave(nowUs, claim);
      if (claim === null) witness.allGone();
      else witness.gone(claim);
      world.need(nowUs, RESERVED_MS);
      const args = { claim: claim?.id ?? '', ttlMs: '0', ticket: '-1' };
      const ran = await timed.run(nowUs, lockTurn, world.keys, args, [world.keys]);
      world.hasLostQueue = false;
      if (!mayHaveHad || ran.reply !== 1) expectSame(ran.reply, expected.left);
      this.#see(world, expected, ran);
    }

    async #extend(world: World, { who: one, ttlMs: forMs, aheadUs }: Step & { kind: 'extend' }): Promise<void> {
      const nowUs = this.#nowUs;
      const { claim } = world.actor(one, nowUs);
      const fence = aheadUs === null ? 0 : nowUs + aheadUs;
      const expected = world.oracle.extend(nowUs, claim, forMs, fence);
      if (expected !== null) {
        world.witness.got(claim, nowUs + forMs * 1_000);
        world.need(nowUs, forMs);
      }
      const args = { claim: claim.id, ttlMs: forMs, fence: fenceText(fence) };
      const ran = await timed.run(nowUs, lockExtend, world.keys, args, [world.keys]);
      expectSame(ran.reply, expected === null ? 0 : 1);
      if (expected === null) expectSame(ran.written, []);
      this.#see(world, expected ?? NO_EFFECTS, ran);
    }

    async #takeAll({ ttlMs: forMs, locks: numbers }: Step & { kind: 'take all' }): Promise<void> {
      const nowUs = this.#nowUs;
      const claim = newClaim(null, 0);
      const worlds = numbers.map((number) => this.#worlds[number] as World);
      const isFree = worlds.every(({ oracle }) => oracle.isFree(nowUs));
      // The script does not look at them one by one.
      const mayRefuse = worlds.some(({ oracle, hasLostQueue }) => oracle.hasLapsed(nowUs) || hasLostQueue);
      const fence = isFree ? Math.max(nowUs, ...worlds.map(({ oracle }) => oracle.fence + 1)) : 0;
      const all = worlds.map(({ keys }) => keys);
      const locks = all.map(({ lock }) => lock);
      const ran = await timed.run(nowUs, lockTakeAll, { locks }, { claim: claim.id, ttlMs: forMs }, all);
      if (!mayRefuse || ran.reply !== 0) expectSame(ran.reply, fence);
      if (ran.reply === 0) expectSame(ran.written, []);
      else {
        for (const world of worlds) {
          world.oracle.take(nowUs, claim, forMs, fence);
          world.gotFences([fence], this.#isClockSet);
          world.witness.got(claim, nowUs + forMs * 1_000);
          world.need(nowUs, forMs);
        }
      }
      worlds.forEach((world, i) => this.#see(world, NO_EFFECTS, ran, i));
    }

    async #turn(channel: string): Promise<void> {
      if (heard.delete(channel)) await subscriber.unsubscribe(channel);
      else await hear(channel);
    }

    /** Whoever has got a turn is woken, and nobody else; and who is the first from now on is told, unless it knows. */
    #see(world: World, effects: Effects | (Effects & { readonly fence: number }), ran: Ran<unknown>, place = 0): void {
      const { oracle, witness } = world;
      const nowUs = this.#nowUs;
      const { woken, mustTell } = effects;
      const own = 'fence' in effects ? [effects.fence] : [];
      world.gotFences([...own, ...woken.map(({ fence }) => fence)], this.#isClockSet);
      const { first } = oracle;
      const endMs = oracle.nextEndMs(nowUs);
      if (first !== null && heard.has(first.channel) && endMs !== Infinity) {
        // To be told more often does no harm.
        const text = `${first.channel} ${first.token}:${endMs}`;
        this.#messages.push({ text, isOptional: mustTell === null });
      }
      for (const { claim, fence, forMs } of woken) {
        world.need(nowUs, forMs);
        if (!heard.has(claim.channel)) continue;
        witness.got(claim, nowUs + forMs * 1_000);
        this.#messages.push({ text: `${claim.channel} ${claim.token}:${fence}:${nowUs}:${forMs}`, isOptional: false });
      }
      world.check(nowUs, ran.looks[place] ?? [], ran.ttlsMs.slice(3 * place, 3 * place + 3));
      if (ran.written.includes('by a look')) throw new Error('A look wrote something.');
    }

    get #endsUs(): readonly number[] {
      return this.#worlds.flatMap(({ oracle }) => oracle.endsUs);
    }
  }

  async function play({ shares, steps }: Script): Promise<void> {
    await hear(channels[0] as string);
    await hear(channels[1] as string);
    messages.length = 0;
    const one = new Play(shares);
    for (const step of steps) await one.take(step);
    await one.end();
  }

  describe.each(SHARES)('%s', (_, shares) => {
    it('is had by those whose turn it is, in the order in which they came, and nobody has to wait who need not', async () => {
      await fc.assert(fc.asyncProperty(scripts(shares, forwards, isCounted), play), RUNS);
    });

    it('goes on so when the clock is set, back or forth', async () => {
      await fc.assert(fc.asyncProperty(scripts(shares, anyWait, isCounted), play), RUNS);
    });
  });

  const everybody = (...permits: readonly number[]): readonly Share[] =>
    permits.map((own) => ({ permits: own, limit: 3 }));
  const asks = (number: number, forMs: number, ticket: 'none' | 'end', waiting: Wait = 0): TimedStep => ({
    wait: waiting,
    lock: 0,
    step: { kind: 'ask', who: { number, of: 'all' }, ttlMs: forMs, ticket },
  });

  it('tells who has become the first in the queue when one before it is gone, whoever finds that out', async () => {
    await play({
      shares: everybody(2, 1, 1, 3, 3, 1),
      steps: [
        asks(0, 10, 'none'),
        asks(1, 2_000, 'none'),
        // It waits on a channel that nobody listens to.
        {
          wait: 0,
          lock: 0,
          step: { kind: 'come', who: { number: 2, of: 'all' }, share: { permits: 1, limit: 3 }, channel: 2 },
        },
        asks(2, 1_000, 'end', 1),
        asks(3, 1_000, 'end', 1),
        asks(4, 1_000, 'none', 'just after an end'),
      ],
    });
  });

  it('knows that nobody waits any more when the queue is gone, and writes that down once', async () => {
    const prolong: Step = { kind: 'extend', who: { number: 0, of: 'all' }, ttlMs: 200_000, aheadUs: null };
    await play({
      shares: everybody(3, 1, 1, 1, 1, 1),
      steps: [
        asks(0, 1_000, 'none'),
        asks(1, 1_000, 'end'),
        { wait: 1, lock: 0, step: prolong },
        // Those who wait ask again and again: this one has died.
        asks(2, 1_000, 'none', 100_000_000),
        asks(3, 1_000, 'none'),
      ],
    });
  });

  it('lets all in for whom there is room when a lease has ended, and not only the one that notices', async () => {
    await play({
      shares: everybody(3, 1, 1, 1, 1, 1),
      steps: [
        asks(0, 1_000, 'none'),
        asks(1, 30_000, 'end', 1),
        asks(2, 30_000, 'end', 1),
        asks(3, 30_000, 'end', 1),
        asks(4, 30_000, 'end', 1),
        asks(1, 30_000, 'end', 'just after an end'),
      ],
    });
  });

  it('tells the first of the lease that ends next, and of no other that was made shorter', async () => {
    const shorten = (number: number, forMs: number): TimedStep => ({
      wait: 1,
      lock: 0,
      step: { kind: 'extend', who: { number, of: 'all' }, ttlMs: forMs, aheadUs: null },
    });
    await play({
      shares: everybody(1, 2, 3, 1, 1, 1),
      steps: [
        asks(0, 5_000, 'none'),
        asks(1, 30_000, 'none'),
        asks(2, 1_000, 'end'),
        shorten(1, 10_000),
        shorten(1, 2_000),
      ],
    });
  });

  describe('to the microsecond', () => {
    const FOR_MS = 5_000;
    const endUs = START_US + FOR_MS * 1_000;
    const [keys, claim, other] = [() => new LockKeys(`${prefix}:{${++count}}`), newClaim(null, 0), newClaim(null, 1)];
    const ask = (at: LockKeys, nowUs: number, { id }: Claim) =>
      timed.run(nowUs, lockTurn, at, { claim: id, ttlMs: String(FOR_MS), ticket: '-1' }, [at]);
    const extendAt = (at: LockKeys, nowUs: number, { id }: Claim) =>
      timed.run(nowUs, lockExtend, at, { claim: id, ttlMs: 1, fence: fenceText(0) }, [at]);
    const takeAt = (at: LockKeys, nowUs: number, { id }: Claim) =>
      timed.run(nowUs, lockTakeAll, { locks: [at.lock] }, { claim: id, ttlMs: FOR_MS }, [at]);

    it.each([
      ['whole', null],
      ['a permit', { permits: 1, limit: 1 }],
    ])('a lease lasts for as long as it was asked for: %s', async (_, share) => {
      const [mine, others] = share === null ? [claim, other] : [newClaim(share, 0), newClaim(share, 1)];
      const at = keys();
      expect((await ask(at, START_US, mine)).reply).toBe(START_US);
      const late = await ask(at, endUs - 1, others);
      expect(late.reply).toEqual([1, 0, -1, endUs - 1]);
      expect(late.looks[0]).toEqual(share === null ? [START_US, 1, 0] : [START_US, 0, 0, 1, 1]);
      const gone = await extendAt(at, endUs, mine);
      expect(gone.reply).toBe(0);
      expect(gone.looks[0]).toEqual([START_US, 0, 0]);
      expect((await ask(at, endUs, others)).reply).toBe(endUs);
    });

    it('and can be prolonged until then', async () => {
      for (const share of [null, { permits: 1, limit: 1 }]) {
        const [at, mine] = [keys(), newClaim(share, 0)];
        await ask(at, START_US, mine);
        expect((await extendAt(at, endUs - 1, mine)).reply).toBe(1);
      }
    });

    it('and is in the way of several locks until then', async () => {
      const at = keys();
      await ask(at, START_US, claim);
      expect((await takeAt(at, endUs - 1, other)).reply).toBe(0);
      expect((await takeAt(at, endUs, other)).reply).toBe(endUs);
      expect((await takeAt(at, endUs + FOR_MS * 1_000 - 1, claim)).reply).toBe(0);
    });
  });

  it('has no more than the limit out once old leases are over, and keeps nothing for ever, whatever key was evicted meanwhile', async () => {
    const steps = fc.array(
      fc.record({
        step: fc.constantFrom('ask', 'ask', 'ask', 'leave', 'lose the lock', 'lose the shares'),
        number: fc.nat({ max: 5 }),
        waitMs: fc.constantFrom(0, 1, 15_000),
      }),
      { minLength: 5, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const keys = new LockKeys(`${prefix}:{${++count}}`);
        const newOne = () => newClaim({ permits: 1, limit: 3 }, 0);
        const claims = Array.from({ length: 6 }, newOne);
        let nowUs = START_US;
        const turn = async ({ id }: Claim, forMs: number): Promise<unknown> => {
          const args = { claim: id, ttlMs: String(forMs), ticket: '-1' };
          const { reply, ttlsMs } = await timed.run(nowUs, lockTurn, keys, args, [keys]);
          expectSame(ttlsMs.includes(-1), false);
          return reply;
        };
        for (const { step, number, waitMs } of all) {
          nowUs += waitMs * 1_000;
          if (step === 'ask') await turn(claims[number] as Claim, 30_000);
          else if (step === 'leave') await turn(claims[number] as Claim, 0);
          else await client.del(step === 'lose the lock' ? keys.lock : keys.shares);
        }
        nowUs += 30_001_000;
        const granted = [];
        for (let i = 0; i < 4; i++) granted.push(typeof (await turn(newOne(), 30_000)));
        expectSame(granted, ['number', 'number', 'number', 'object']);
      }),
      RUNS,
    );
  });
});

/** A lease is kept in whole milliseconds: what is one off is as good. */
function about(ms: number, expectedMs: number): number {
  return Math.abs(ms - expectedMs) <= 1 ? expectedMs : ms;
}

/** As `expect` does it, which takes as long as the script, though. */
function expectSame(received: unknown, expected: unknown): void {
  if (JSON.stringify(received) !== JSON.stringify(expected)) expect(received).toEqual(expected);
}

function tokenIn(message: string): string {
  return message.split(' ')[1]?.split(':')[0] ?? '';
}

function inWords(numbers: readonly number[]): readonly string[] {
  return numbers.flatMap((number, i) => (i % 2 === 0 ? [`${number} for ${numbers[i + 1]} ms`] : [])).sort();
}

/** All that were expected, and of the optional ones as many as may be. */
function expectInOrder(messages: readonly string[], expected: readonly Message[]): void {
  // How many messages can stand for what has been gone through so far.
  let ends = new Set([0]);
  for (const { text, isOptional } of expected) {
    const next = [...ends].filter((end) => isSame(messages[end], text)).map((end) => end + 1);
    ends = new Set(isOptional ? [...ends, ...next] : next);
  }
  if (ends.has(messages.length)) return;
  expect(messages).toEqual(expected.map(({ text, isOptional }) => (isOptional ? `perhaps ${text}` : text)));
}

function isSame(message: string | undefined, text: string): boolean {
  const [name, ms] = (message ?? '').split(/:(?=\d+$)/);
  const [expectedName, expectedMs] = text.split(/:(?=\d+$)/);
  return name === expectedName && (ms === expectedMs || Math.abs(Number(ms) - Number(expectedMs)) <= 1);
}

import { setTimeout as delay } from 'node:timers/promises';
import { startRedis, startTcpProxy, type RedisServer, type TcpProxy } from '../../../src/testing/index.js';
import { nowUs } from '../job-process.js';
import { OwnTime } from '../own-time.js';
import { seededRandom } from '../seeded-random.js';
import { pick } from '../throttler-processes/pick.js';
import { FencedSink, type SinkRule } from './fenced-sink.js';
import type { LockProcess } from './lock-process.js';
import type { LockMaker, WorkReport } from './protocol.js';
import type { Spares } from './spares.js';

/** What goes wrong in a round. */
export type Fault = 'stop-holder' | 'stop-redis' | 'freeze-network' | 'cut-connections' | 'kill-holder';

/** The rounds of one kind. */
export interface Tally {
  rounds: number;
  /** The longest time until all that had been hit was taken again, by the time of this process. */
  longestMs: number;
  /** Those in which it took longer than {@link TOLD_MS}. */
  healed: number;
}

/** Less than whoever waits takes to look by himself: until then he was told, and later he has healed what was lost. */
const TOLD_MS = 4_500;

/** Who works in an arena. */
export interface ArenaSettings {
  readonly seed: number;
  readonly spares: Spares;
  readonly processes: readonly LockProcess[];
  readonly by: LockMaker;
  readonly rule: SinkRule;
  readonly ttlMs: readonly [number, number];
  readonly holdMs: readonly [number, number];
}

interface Member {
  readonly process: LockProcess;
  readonly report: Promise<WorkReport | null>;
}

const RESOURCES = ['amber', 'beryl', 'coral'];
const REDIS_DEADLINE_MS = 250;
const PREFIX = 'arena';

/** Processes that fight for a few locks, a server of their own, a network in between, and one fault after the other. */
export class Arena implements AsyncDisposable {
  readonly tallies = new Map<Fault, Tally>();
  /** The most locks that one fault took from its holder. */
  mostHit = 0;
  readonly reports: WorkReport[] = [];
  readonly #random: () => number;
  readonly #members = new Map<string, Member>();
  #joined = 0;
  #joining: Promise<void> = Promise.resolve();
  #killsLeft = 0;
  #time: { readonly ms: number } = { ms: 0 };

  private constructor(
    private readonly settings: ArenaSettings,
    readonly sink: FencedSink,
    private readonly redis: RedisServer,
    private readonly proxy: TcpProxy,
  ) {
    this.#random = seededRandom(settings.seed);
  }

  static async start(settings: ArenaSettings): Promise<Arena> {
    const redis = await startRedis();
    const [node] = redis.nodes;
    if (node === undefined) throw new Error('There is no server.');
    const arena = new Arena(settings, await FencedSink.start(settings.rule), redis, await startTcpProxy(node));
    await Promise.all(settings.processes.map((process) => arena.#join(process)));
    return arena;
  }

  /** One fault after the other; each is over when whatever it hit has been taken again. */
  async run(faults: readonly Fault[]): Promise<void> {
    using time = new OwnTime();
    this.#time = time;
    this.#killsLeft = faults.filter((fault) => fault === 'kill-holder').length;
    await this.sink.untilTaken(RESOURCES, 0);
    for (const fault of faults) {
      const sinceMs = await this.#rounds[fault]();
      const tally = this.tallies.get(fault) ?? { rounds: 0, longestMs: 0, healed: 0 };
      tally.rounds += 1;
      const tookMs = time.ms - sinceMs;
      tally.longestMs = Math.max(tally.longestMs, tookMs);
      if (tookMs > TOLD_MS) tally.healed += 1;
      this.tallies.set(fault, tally);
    }
    await this.#joining;
  }

  /** Ends the work in order, and resolves with the processes, which can be used again. */
  async stop(): Promise<readonly LockProcess[]> {
    const members = [...this.#members.values()];
    this.#members.clear();
    await Promise.all(members.map(({ process }) => process.do('stop', null)));
    for (const { report } of members) {
      const one = await report;
      if (one !== null) this.reports.push(one);
    }
    await Promise.all(members.map(({ process }) => process.do('close', null)));
    return members.map(({ process }) => process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.#members.values()) await this.settings.spares.kill(process);
    await this.sink.close();
    await this.proxy.stop();
    await this.redis.stop();
  }

  async #join(process: LockProcess): Promise<void> {
    const { seed, by, ttlMs, holdMs } = this.settings;
    this.#joined += 1;
    const name = `p${this.#joined}`;
    const own = { process: name, seed: seed + this.#joined };
    const url = `redis://${this.proxy.host}:${this.proxy.port}`;
    await process.do('open', { ...own, by, redis: { url }, prefix: PREFIX, redisDeadlineMs: REDIS_DEADLINE_MS });
    const report = process.do('work', { ...own, sinkPort: this.sink.port, resources: RESOURCES, ttlMs, holdMs });
    // Of one that is killed.
    const seen = report.catch((error: unknown) => {
      if (this.#members.has(name)) this.sink.failures.push(String(error));
      return null;
    });
    this.#members.set(name, { process, report: seen });
  }

  /** Each resolves with when the waiters could go on, by the time of this process. */
  readonly #rounds: Readonly<Record<Fault, () => Promise<number>>> = {
    'stop-holder': async () => {
      const { name, process } = await this.#holder();
      process.pause();
      const [stoppedUs, stoppedMs] = [nowUs(), this.#time.ms];
      const hit = this.#hitBy(name);
      try {
        await this.sink.untilTaken(hit, stoppedUs);
      } finally {
        process.resume();
      }
      return stoppedMs;
    },
    'kill-holder': async () => {
      await this.#joining;
      const { name, process } = await this.#holder();
      const [killedUs, killedMs] = [nowUs(), this.#time.ms];
      this.#members.delete(name);
      await this.settings.spares.kill(process);
      this.#killsLeft -= 1;
      this.#joining = this.#replace();
      // It is told of where it is waited for.
      this.#joining.catch(() => undefined);
      await this.sink.untilTaken(this.#hitBy(name), killedUs);
      return killedMs;
    },
    'stop-redis': async () => {
      const [node] = this.redis.nodes;
      await node?.pause();
      await this.#while(30, 350);
      await node?.resume();
      return this.#untilAllAreTaken();
    },
    'freeze-network': async () => {
      this.proxy.freeze();
      await this.#while(30, 350);
      await this.proxy.heal();
      return this.#untilAllAreTaken();
    },
    'cut-connections': async () => {
      await this.#holder();
      this.proxy.cut();
      return this.#untilAllAreTaken();
    },
  };

  /** Somebody who has just taken a lock. */
  async #holder(): Promise<{ readonly name: string; readonly process: LockProcess }> {
    for (;;) {
      const { process: name } = await this.sink.nextHolder();
      const member = this.#members.get(name);
      if (member !== undefined) return { name, process: member.process };
    }
  }

  #hitBy(name: string): readonly string[] {
    const hit = this.sink.heldBy(name);
    this.mostHit = Math.max(this.mostHit, hit.length);
    return hit;
  }

  async #untilAllAreTaken(): Promise<number> {
    const ms = this.#time.ms;
    await this.sink.untilTaken(RESOURCES, nowUs());
    return ms;
  }

  /** The time that a fault lasts: longer than some leases. */
  async #while(leastMs: number, mostMs: number): Promise<void> {
    await delay(leastMs + this.#random() * (mostMs - leastMs));
  }

  async #replace(): Promise<void> {
    await this.#join(await this.settings.spares.take(this.#killsLeft === 0));
  }
}

/** So many faults in a random order, of which so many are of each kind but the first. */
export function chooseFaults(
  random: () => number,
  rounds: number,
  shares: Readonly<Partial<Record<Fault, number>>>,
): readonly Fault[] {
  const faults = Array.from({ length: rounds }, (): Fault => 'stop-holder');
  const places = faults.map((_, i) => i);
  for (const [fault, count] of Object.entries(shares) as [Fault, number][]) {
    for (let i = 0; i < count && places.length > 0; i++) {
      const place = pick(random, places);
      places.splice(places.indexOf(place), 1);
      faults[place] = fault;
    }
  }
  return faults;
}

import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { Clock } from '../../core/time/clock.js';
import { throttlerConsume, throttlerRelease, throttlerRenew } from '../throttler.scripts.gen.js';
import { blockKey, type Ask } from './ask.js';
import { scriptWords } from './script-words.js';
import { ServerTime } from './server-time.js';
import { TurnBatcher } from '../../core/scripts/turn-batcher.js';
import { readVerdicts, type Verdict } from './verdict.js';

/** What the script does with the units of a request: nothing, takes them where all policies have room, takes them in any case. */
const MODE = { look: 0, consume: 1, charge: 2 } as const;
type Mode = keyof typeof MODE;

class Waiting {
  constructor(
    readonly ask: Ask,
    readonly resolve: (verdict: Verdict) => void,
    readonly reject: (error: unknown) => void,
  ) {}
}

/**
 * Decides in Redis. Requests of one turn of the event loop share a round trip where their keys lie in one slot, and are decided one after the other.
 *
 * A decision that nobody waits for any more, because the deadline passed, is not made when the server gets to it.
 */
export class RedisLimits {
  readonly #time = new ServerTime();
  readonly #batcher: TurnBatcher<Waiting>;

  constructor(
    private readonly connection: RedisConnection,
    private readonly clock: Clock,
    private readonly deadlineMs: number,
  ) {
    this.#batcher = new TurnBatcher<Waiting>(
      ({ ask }) => this.groupOf(ask),
      (waiting, group) => this.#consume(waiting, group),
    );
  }

  /** Asks with equal groups can be decided in one step. */
  groupOf({ callerKeys }: Pick<Ask, 'callerKeys'>): number {
    return this.connection.groupOf(callerKeys[0] as string);
  }

  consume(ask: Ask): Promise<Verdict> {
    return new Promise((resolve, reject) => this.#batcher.add(new Waiting(ask, resolve, reject)));
  }

  async look(ask: Ask): Promise<Verdict> {
    return (await this.#decide([ask], 'look', this.groupOf(ask)))[0] as Verdict;
  }

  async charge(ask: Ask): Promise<Verdict> {
    return (await this.#decide([ask], 'charge', this.groupOf(ask)))[0] as Verdict;
  }

  /** Resolves with whether the caller was blocked before. */
  async block(callerKey: string, forMs: number): Promise<boolean> {
    const deadlineMs = this.deadlineMs;
    return (await this.connection.send('SET', [callerKey, '1', 'PX', forMs, 'GET'], { deadlineMs })) !== null;
  }

  async unblock(callerKey: string): Promise<boolean> {
    return (await this.connection.send('UNLINK', [callerKey], { deadlineMs: this.deadlineMs })) === 1;
  }

  /** Forgets what the policies have counted, and their blocks. */
  async forget(policyKeys: readonly string[]): Promise<void> {
    const keys = policyKeys.flatMap((key) => [key, blockKey(key)]);
    await this.connection.send('UNLINK', keys, { deadlineMs: this.deadlineMs });
  }

  async release(slots: readonly string[], holder: number): Promise<void> {
    await this.connection.scripts.run(throttlerRelease, { slots }, { holder }, { deadlineMs: this.deadlineMs });
  }

  async renew(slots: string, leaseMs: number, holders: readonly number[]): Promise<void> {
    await this.connection.scripts.run(throttlerRenew, { slots }, { leaseMs, holders }, { deadlineMs: this.deadlineMs });
  }

  #consume(waiting: readonly Waiting[], group: number): void {
    const asks = waiting.map(({ ask }) => ask);
    this.#decide(asks, 'consume', group).then(
      (verdicts) => waiting.forEach(({ resolve }, i) => resolve(verdicts[i] as Verdict)),
      (error: unknown) => waiting.forEach(({ reject }) => reject(error)),
    );
  }

  async #decide(asks: readonly Ask[], mode: Mode, group: number): Promise<Verdict[]> {
    const keys: string[] = [];
    for (const ask of asks) ask.appendKeys(keys);
    const words = scriptWords(asks);
    let nowMs = this.clock.monotonicMs();
    const untilMs = nowMs + this.deadlineMs;
    // It is too late when the server's clock was set forward, or the server was slow: with its new time, once more, if somebody still waits.
    for (let attempt = 0; attempt < 2 && untilMs - nowMs >= 1; attempt++) {
      const deadlineMs = untilMs - nowMs;
      const args = { clockUs: this.#time.latestUs(group, nowMs, deadlineMs), mode: MODE[mode], words };
      const reply = await this.connection.scripts.run(throttlerConsume, { keys }, args, { deadlineMs });
      this.#time.learn(group, reply[0] as number, nowMs);
      if (reply.length > 1) return readVerdicts(reply, asks);
      nowMs = this.clock.monotonicMs();
    }
    throw new RedisUnavailableError('deadline', { connection: this.connection.name, mayHaveRun: false });
  }
}

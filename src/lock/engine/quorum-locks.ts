import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { Clock } from '../../core/time/clock.js';
import { Leavings } from './leavings.js';
import type { LockKeys } from './lock-keys.js';
import { Granted, NO_QUEUE, Refused, type LockServers } from './lock-servers.js';
import { reliedOnMs } from './safety.js';

/** What one server said, or that it said nothing. */
type Word<Answer> = { readonly answer: Answer } | { readonly error: unknown };

/**
 * Locks on several servers that know nothing of each other: what a majority of them grants is granted (Redlock, https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/).
 *
 * - The servers are asked side by side, each within a short deadline; as soon as the outcome is certain it is told, so a dead minority costs nothing.
 * - A majority that comes too late counts for nothing, and what a minority granted is given back at once.
 * - The fence is the greatest that the majority gave, and is made known to a majority before the lock counts: every later majority has one server that knows it.
 *   That is a second trip.
 * - There is no queue, since the servers would queue callers in different orders. Who waits tries again after a random time.
 */
export class QuorumLocks implements LockServers {
  readonly grantsByWaking = false;
  readonly #majority: number;
  readonly #leavings: readonly Leavings[];

  constructor(
    private readonly nodes: readonly LockServers[],
    private readonly clock: Clock,
    private readonly connection: string,
  ) {
    this.#majority = Math.floor(nodes.length / 2) + 1;
    this.#leavings = nodes.map((node) => new Leavings(node, clock));
  }

  /** Only one at a time: which locks are free is not the same on all servers. */
  isOneStep(): boolean {
    return false;
  }

  askAll(): Promise<Granted | null> {
    return Promise.resolve(null);
  }

  async ask(keys: LockKeys, claim: string, ttlMs: number): Promise<Granted | Refused> {
    const sentMs = this.clock.monotonicMs();
    const asked = this.nodes.map((node) => node.ask(keys, claim, ttlMs, NO_QUEUE));
    const words = await this.#decided(asked, (answer) => answer instanceof Granted);
    const fences = answersOf(words).flatMap((answer) => (answer instanceof Granted ? [answer.fence] : []));
    if (fences.length >= this.#majority && this.clock.monotonicMs() - sentMs < reliedOnMs(ttlMs)) {
      const fence = Math.max(...fences);
      if (await this.#makeKnown(keys, claim, ttlMs, fence)) return new Granted(fence, sentMs, ttlMs);
    }
    return this.#giveBack(asked, keys, claim, ttlMs);
  }

  async extend(keys: readonly LockKeys[], claim: string, ttlMs: number, fence: number): Promise<boolean> {
    const words = await this.#decided(
      this.nodes.map((node) => node.extend(keys, claim, ttlMs, fence)),
      (isProlonged) => isProlonged,
    );
    return this.#agree(words);
  }

  async leave(keys: readonly LockKeys[], claim: string, untilMs: number): Promise<boolean> {
    const asked = this.nodes.map((node) => node.leave(keys, claim, untilMs));
    // A server that is away may hold it for as long as the lease lasts.
    asked.forEach((leaving, i) => {
      void wordOf(leaving).then((word) => {
        if ('error' in word) this.#leavings[i]?.leave(keys, claim, untilMs);
      });
    });
    const left = answersOf(await this.#decided(asked, (isLeft) => isLeft));
    // Without a majority that says otherwise, it was its.
    return left.filter((isLeft) => !isLeft).length <= this.nodes.length - this.#majority;
  }

  async clear(keys: LockKeys): Promise<number> {
    const words = await Promise.all(this.nodes.map((node) => wordOf(node.clear(keys))));
    const counts = answersOf(words);
    if (counts.length < this.#majority) throw this.#unavailable(words);
    return Math.max(...counts);
  }

  async close(): Promise<void> {
    await Promise.all(this.#leavings.map((leavings) => leavings.close()));
  }

  /** Whether a majority knows of the fence, and prolonged the lease. */
  async #makeKnown(keys: LockKeys, claim: string, ttlMs: number, fence: number): Promise<boolean> {
    return this.extend([keys], claim, ttlMs, fence).catch((error: unknown) => {
      if (error instanceof RedisUnavailableError) return false;
      throw error;
    });
  }

  /** Once all have answered, or their time is up: then no later grant can be taken for this one, nor given back with it. */
  async #giveBack(
    asked: readonly Promise<Granted | Refused>[],
    keys: LockKeys,
    claim: string,
    ttlMs: number,
  ): Promise<Refused> {
    const words = await Promise.all(asked.map(wordOf));
    for (const leavings of this.#leavings) leavings.leave([keys], claim, this.clock.monotonicMs() + ttlMs);
    const answers = answersOf(words);
    if (answers.length < this.#majority) throw this.#unavailable(words);
    const leases = answers.flatMap((answer) => (answer instanceof Refused ? [answer.leaseMs] : []));
    return new Refused(Math.min(ttlMs, ...leases), 0, NO_QUEUE);
  }

  /** The majority's word. When there is none, it is not known. */
  #agree(words: readonly Word<boolean>[]): boolean {
    const answers = answersOf(words);
    if (answers.filter(Boolean).length >= this.#majority) return true;
    if (answers.filter((answer) => !answer).length > this.nodes.length - this.#majority) return false;
    throw this.#unavailable(words);
  }

  /** Resolves with what the servers said so far, as soon as a majority said yes, or cannot any more. */
  #decided<Answer>(
    asked: readonly Promise<Answer>[],
    isYes: (answer: Answer) => boolean,
  ): Promise<readonly Word<Answer>[]> {
    const words: Word<Answer>[] = [];
    let yes = 0;
    return new Promise((resolve) => {
      for (const promise of asked) {
        void wordOf(promise).then((word) => {
          words.push(word);
          if ('answer' in word && isYes(word.answer)) yes += 1;
          const no = words.length - yes;
          if (yes === this.#majority || no === asked.length - this.#majority + 1) resolve([...words]);
        });
      }
    });
  }

  #unavailable(words: readonly Word<unknown>[]): unknown {
    const errors = words.flatMap((word) => ('error' in word ? [word.error] : []));
    const strange = errors.find((error) => !(error instanceof RedisUnavailableError));
    if (strange !== undefined) return strange;
    const cause = errors[0] as RedisUnavailableError | undefined;
    return new RedisUnavailableError(cause?.reason ?? 'not-connected', {
      connection: this.connection,
      mayHaveRun: true,
      cause,
    });
  }
}

function answersOf<Answer>(words: readonly Word<Answer>[]): readonly Answer[] {
  return words.flatMap((word) => ('answer' in word ? [word.answer] : []));
}

function wordOf<Answer>(promise: Promise<Answer>): Promise<Word<Answer>> {
  return promise.then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
}

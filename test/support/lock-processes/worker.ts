import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../seeded-random.js';
import type { HeldLock, Locks } from './held-lock.js';
import { Keeper } from './keeper.js';
import type { WorkReport, WorkSettings } from './protocol.js';
import { RookeryLocks } from './rookery-locks.js';
import { SinkClient } from './sink-client.js';

/** Longer than any lock is held up. */
const WAIT_MS = 15_000;

/**
 * Works under locks without looking whether it still has them: it writes when it has got one, and once more in the end. What stands still in between writes late, and only the
 * sink can know.
 */
export class Worker {
  readonly #random: () => number;
  readonly #stop = new AbortController();

  constructor(
    private readonly locks: Locks,
    private readonly process: string,
    private readonly redisDeadlineMs: number,
    private readonly settings: WorkSettings,
  ) {
    this.#random = seededRandom(settings.seed);
  }

  stop(): void {
    this.#stop.abort();
  }

  async run(): Promise<WorkReport> {
    const { locks, settings, redisDeadlineMs, process } = this;
    const { signal } = this.#stop;
    const sink = await SinkClient.connect(settings.sinkPort);
    const works = settings.resources.map((resource) => this.#work(sink, resource, signal));
    let report: WorkReport = { losses: 0, inTime: 0, wrong: [] };
    if (locks instanceof RookeryLocks) {
      const fail = (error: unknown): void => sink.fail(error);
      const keeper = new Keeper(locks, `kept-by-${process}`, redisDeadlineMs, this.#random, fail);
      await keeper.run(signal);
      report = keeper.report;
    }
    await Promise.all(works);
    sink.close();
    return report;
  }

  async #work(sink: SinkClient, resource: string, stop: AbortSignal): Promise<void> {
    const wish = { resource, units: 1, of: 1, as: 'write' } as const;
    const { ttlMs, holdMs } = this.settings;
    const work = async (held: HeldLock): Promise<void> => {
      await sink.write(held.claim);
      await delay(this.#between(holdMs));
      held.look();
      await sink.write(held.claim);
      held.look();
      sink.end(held.claim);
    };
    while (!stop.aborted) {
      const ask = { ttlMs: Math.round(this.#between(ttlMs)), waitMs: WAIT_MS, byUsing: this.#random() < 0.3 };
      try {
        await this.locks.run(wish, ask, work);
        await delay(this.#random() * 5);
      } catch (error) {
        if (!this.locks.isExpected(error)) sink.fail(error);
        await delay(10);
      }
    }
  }

  #between([least, most]: readonly [number, number]): number {
    return least + this.#random() * (most - least);
  }
}

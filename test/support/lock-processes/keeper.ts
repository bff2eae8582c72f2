import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { LockHandle, LockService } from '../../../src/lock/index.js';
import { OwnTime } from '../own-time.js';
import type { WorkReport } from './protocol.js';
import type { RookeryLocks } from './rookery-locks.js';

const USUAL_MS = 20;
/** Time of its own that the process needs to look at its timers. */
const SLACK_MS = 100;

/**
 * Holds a lock that nobody else wants, prolongs it by hand, and looks whether the loss is told in time. What the lease was asked with is known, so the end of it is
 * known too: its length, less 1 % and 2 ms, from the call of `acquire` or of the last `extend` that answered true.
 *
 * A machine that does not let the process run holds up every timer, that of the library and the one here. But timers are run in the order in which they are due: when this one,
 * which is due at the end of the lease, is run, the signal has to be aborted, however late it is.
 */
export class Keeper {
  #losses = 0;
  #inTime = 0;
  #names = 0;
  readonly #wrong: string[] = [];
  readonly #service: LockService;

  constructor(
    private readonly locks: RookeryLocks,
    private readonly name: string,
    private readonly redisDeadlineMs: number,
    private readonly random: () => number,
    private readonly onError: (error: unknown) => void,
  ) {
    this.#service = locks.service;
  }

  get report(): WorkReport {
    return { losses: this.#losses, inTime: this.#inTime, wrong: this.#wrong };
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        await this.#keep(stop);
      } catch (error) {
        if (!this.locks.isExpected(error)) this.onError(error);
        await delay(10);
      }
    }
  }

  async #keep(stop: AbortSignal): Promise<void> {
    const ttlMs = Math.round(80 + this.random() * 170);
    this.#names += 1;
    const options = { ttl: `${ttlMs}ms`, wait: '0ms', autoExtend: false } as const;
    const acquiring = this.#service.acquire([this.name, this.#names], options);
    // Behind the call: the process may have been kept from running in it.
    const sinceMs = performance.now();
    const lock = await acquiring;
    // A reply that came too late may have been asked for again.
    if (performance.now() - sinceMs > ttlMs / 2) {
      await lock.release();
      return;
    }
    const witness = new Witness(lock, ttlMs, (what) => this.#wrong.push(what));
    witness.begin(sinceMs);
    const lost = once(lock.signal, 'abort').then(() => {
      this.#losses += 1;
      if (performance.now() <= witness.endsMs) this.#inTime += 1;
    });
    while (!lock.signal.aborted && !stop.aborted) {
      await Promise.race([delay(ttlMs / 2), lost]);
      await this.#extend(lock, witness);
    }
    witness.end();
    if (lock.signal.aborted) {
      await lost;
      if (await lock.extend()) this.#wrong.push('a lock was prolonged after its loss');
      if (lock.isHeld || lock.validForMs > 0) this.#wrong.push('a lock was held after its loss');
    }
    await lock.release();
  }

  async #extend(lock: LockHandle, witness: Witness): Promise<void> {
    try {
      const prolonging = lock.extend();
      const sinceMs = performance.now();
      const isProlonged = await this.#inTimeOf(prolonging);
      if (isProlonged) {
        if (lock.signal.aborted) this.#wrong.push('a lock was prolonged although it was lost');
        witness.begin(sinceMs);
      } else if (!lock.signal.aborted) this.#wrong.push('it was not prolonged, and not lost either');
    } catch (error) {
      if (!this.locks.isExpected(error)) throw error;
    }
  }

  /** The answer, which has to come within the deadline. */
  async #inTimeOf(prolonging: Promise<boolean>): Promise<boolean> {
    const isQuick = prolonging.then(
      () => true,
      () => true,
    );
    // Its clock costs something, so it is wound up only where it is needed.
    if (await Promise.race([isQuick, delay(USUAL_MS, false)])) return await prolonging;
    using time = new OwnTime();
    await isQuick;
    if (time.ms > this.redisDeadlineMs + SLACK_MS) this.#wrong.push(`an answer to extend took ${time.ms} ms`);
    return await prolonging;
  }
}

/** A timer that is due when the lease can have ended. */
class Witness {
  endsMs = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #watches = 0;

  constructor(
    private readonly lock: LockHandle,
    private readonly ttlMs: number,
    private readonly complain: (what: string) => void,
  ) {}

  /** The lease begins, or begins anew. */
  begin(sinceMs: number): void {
    this.end();
    this.endsMs = sinceMs + this.ttlMs - this.ttlMs / 100 - 2;
    this.#arm();
  }

  end(): void {
    this.#watches += 1;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    this.#timer = setTimeout(() => this.#ring(), Math.ceil(this.endsMs - performance.now()));
  }

  #ring(): void {
    if (performance.now() < this.endsMs) {
      this.#arm();
      return;
    }
    if (this.lock.isHeld) this.complain(`a lease of ${this.ttlMs} ms was relied on after its end`);
    if (this.lock.signal.aborted) return;
    const watch = this.#watches;
    const look = (): void => {
      // It was prolonged meanwhile, or given back.
      if (this.#watches !== watch) return;
      if (!this.lock.signal.aborted) this.complain(`the signal of a lease of ${this.ttlMs} ms came after its end`);
    };
    // Timers that were set in one turn of the event loop may change places; after one more, all that were due have been run. What was late by then may be heard once before it counts.
    this.#timer = setTimeout(() => setImmediate(look), 1);
  }
}

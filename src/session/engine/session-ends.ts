import { Logger } from '@nestjs/common';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { Cancel, Clock } from '../../core/time/clock.js';
import type { EndsConfig } from '../session-config.js';
import type { SessionCounters } from '../session-counters.js';
import type { EndReason, SessionEnd, SessionEndListener } from '../session.events.js';
import { sessionSweep } from '../session.scripts.gen.js';
import { DIGEST_LENGTH } from './session-id.js';
import type { SessionKeySpace } from './session-keys.js';
import { allSlotTags } from './slot-tags.js';

/** So many ends of one slot are taken at once. */
const MOST_AT_ONCE = 100;

const TIME_LENGTH = 13;
const REASONS: Readonly<Record<string, EndReason>> = {
  x: 'expired',
  d: 'destroyed',
  r: 'revoked',
  v: 'evicted',
  l: 'replaced',
};

/** What is in the list, so that a listener that is there twice may leave once. */
interface Listening {
  readonly listener: SessionEndListener;
}

/**
 * Tells of ends, at least once: looks through the slots, takes what has ended, calls the listeners, and takes out what all of them have dealt with.
 *
 * One of many processes tells of an end. A look is one command for each of the 256 slots of sessions, in one write to each node. A listener that is not done
 * within `retryAfter` holds up neither the next look nor {@link close}: what it was told is told once more.
 *
 * While nobody listens here there are no looks, and nothing is taken out. What was on its way when the last listener left comes again after `retryAfter`, to
 * whoever listens then, in this process or another.
 */
export class SessionEnds {
  readonly #listeners = new Set<Listening>();
  readonly #logger = new Logger('SessionModule');
  #cancelTimer: Cancel | null = null;
  #looking: Promise<void> | null = null;
  #isClosed = false;

  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: SessionKeySpace,
    private readonly clock: Clock,
    private readonly counters: SessionCounters,
    private readonly config: EndsConfig,
    private readonly deadlineMs: number,
  ) {}

  on(listener: SessionEndListener): Cancel {
    const listening = { listener };
    this.#listeners.add(listening);
    if (this.#cancelTimer === null && this.#looking === null) this.#arm();
    return () => this.#off(listening);
  }

  /** Takes nothing more, and waits for the listeners of what was taken, for `retryAfter` at most. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer?.();
    await this.#looking;
  }

  get #isTelling(): boolean {
    return !this.#isClosed && this.#listeners.size > 0;
  }

  #off(listening: Listening): void {
    this.#listeners.delete(listening);
    if (this.#listeners.size > 0) return;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  #arm(): void {
    if (!this.#isTelling) {
      this.#cancelTimer = null;
      return;
    }
    // Processes that were started together look one after the other.
    const inMs = this.config.everyMs * (0.75 + Math.random() / 2);
    this.#cancelTimer = this.clock.setTimeout(() => {
      this.#looking = this.#look().finally(() => {
        this.#looking = null;
        this.#arm();
      });
    }, inMs);
  }

  async #look(): Promise<void> {
    await Promise.all(allSlotTags().map((tag) => this.#lookAt(tag)));
  }

  async #lookAt(tag: string): Promise<void> {
    const { sessions, deadlines, ended } = this.keys.slot(tag);
    const options = { deadlineMs: this.deadlineMs };
    try {
      for (let isMore = true; isMore && this.#isTelling;) {
        const args = { sessions, most: MOST_AT_ONCE, leaseMs: this.config.retryAfterMs };
        const taken = await this.connection.scripts.run(sessionSweep, { deadlines, ended }, args, options);
        const told = await Promise.all(taken.map((member) => this.#tellInTime(member, ended)));
        const dealtWith = taken.filter((_, i) => told[i]);
        await this.#takeOut(ended, dealtWith);
        isMore = taken.length === MOST_AT_ONCE;
      }
    } catch {
      // Redis is away, which its connection tells of. What was taken comes again.
    }
  }

  async #takeOut(ended: string, told: readonly string[]): Promise<void> {
    if (told.length > 0) await this.connection.send('ZREM', [ended, ...told], { deadlineMs: this.deadlineMs });
    this.counters.endsTold += told.length;
  }

  /** Whether all listeners have dealt with it while nobody else is told of it. What they deal with later is taken out by itself. */
  async #tellInTime(member: string, ended: string): Promise<boolean> {
    const isTold = this.#tell(member);
    let cancel: Cancel = () => undefined;
    const isLate = new Promise<null>((resolve) => {
      cancel = this.clock.setTimeout(() => resolve(null), this.config.retryAfterMs);
    });
    const inTime = await Promise.race([isTold, isLate]);
    cancel();
    if (inTime !== null) return inTime;
    this.#logger.error('A listener to the ends of sessions takes longer than ends.retryAfter, and is told once more.');
    // Redis may be away by then, or this closed: then it comes again.
    void isTold.then((told) => (told ? this.#takeOut(ended, [member]) : undefined)).catch(() => undefined);
    return false;
  }

  /** Whether all listeners have dealt with it. */
  async #tell(member: string): Promise<boolean> {
    // The last may have left since this was taken.
    if (this.#listeners.size === 0) return false;
    const end = readEnd(member);
    const results = await Promise.allSettled([...this.#listeners].map(async ({ listener }) => listener(end)));
    let isTold = true;
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      isTold = false;
      const { reason } = result as { readonly reason: unknown };
      const name = reason instanceof Error ? reason.name : typeof reason;
      this.#logger.error(`A listener to the ends of sessions failed, and is told once more later: ${name}.`);
    }
    return isTold;
  }
}

function readEnd(member: string): SessionEnd {
  const atEnd = DIGEST_LENGTH + 1 + TIME_LENGTH;
  const user = member.slice(atEnd);
  return {
    handle: member.slice(0, DIGEST_LENGTH),
    userId: user === '' ? null : user,
    reason: REASONS[member[DIGEST_LENGTH] ?? ''] ?? 'expired',
    atMs: Number(member.slice(DIGEST_LENGTH + 1, atEnd)),
  };
}

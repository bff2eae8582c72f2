import type { Cancel, Clock } from '../../core/time/clock.js';
import type { PolicyUse } from './ask.js';
import type { RedisLimits } from './redis-limits.js';

interface Held {
  readonly leaseMs: number;
  readonly holders: Set<number>;
}

/** Renewed so often within a lease that one lost attempt does no harm. */
const RENEWALS_PER_LEASE = 3;

/** The slots that this process holds: keeps their leases up while their requests are at work. */
export class Slots {
  readonly #held = new Map<string, Held>();
  readonly #timers = new Map<number, Cancel>();

  constructor(
    private readonly limits: RedisLimits,
    private readonly clock: Clock,
  ) {}

  heldOf(key: string): number {
    return this.#held.get(key)?.holders.size ?? 0;
  }

  /** @returns gives the slots back; calling it again does nothing. It never rejects: a slot that cannot be given back ends with its lease. */
  hold(uses: readonly PolicyUse[], holder: number): () => Promise<void> {
    for (const { key, policy } of uses) {
      const leaseMs = policy.algorithm.a / 1_000;
      const held = this.#held.get(key) ?? { leaseMs, holders: new Set() };
      this.#held.set(key, held);
      held.holders.add(holder);
      this.#renewEvery(leaseMs);
    }
    let isHeld = true;
    return async () => {
      if (!isHeld) return;
      isHeld = false;
      for (const { key } of uses) this.#drop(key, holder);
      const keys = uses.map(({ key }) => key);
      await this.limits.release(keys, holder).catch(ignoreSinceTheLeaseEnds);
    };
  }

  close(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #drop(key: string, holder: number): void {
    const held = this.#held.get(key);
    held?.holders.delete(holder);
    if (held?.holders.size === 0) this.#held.delete(key);
    if (this.#held.size === 0) this.close();
  }

  #renewEvery(leaseMs: number): void {
    if (this.#timers.has(leaseMs)) return;
    const cancel = this.clock.setTimeout(() => {
      this.#timers.delete(leaseMs);
      const due = [...this.#held].filter(([, held]) => held.leaseMs === leaseMs);
      if (due.length === 0) return;
      for (const [key, { holders }] of due)
        this.limits.renew(key, leaseMs, [...holders]).catch(ignoreSinceTheLeaseEnds);
      this.#renewEvery(leaseMs);
    }, leaseMs / RENEWALS_PER_LEASE);
    this.#timers.set(leaseMs, cancel);
  }
}

function ignoreSinceTheLeaseEnds(): void {
  // The server frees what is not given back or renewed.
}

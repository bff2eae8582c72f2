import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/time/clock.js';
import { KIND } from '../policies/algorithm.js';
import type { Ask, PolicyUse } from './ask.js';
import { Verdict, type PolicyState } from './verdict.js';

/** What a caller has taken of one policy: so many units by each of the sub-windows, oldest first. */
interface Tally {
  readonly slots: { index: number; units: number }[];
}

const SUB_WINDOWS = 25;

/**
 * Decides in this process alone, while Redis is away: strictly, by sliding windows, with this process's share of each limit. What it counts is never
 * written to Redis.
 *
 * A rate is taken as a window in which its burst comes back. Slots are counted by those that this process holds.
 */
export class LocalLimits {
  readonly #tallies: LRUCache<string, Tally>;

  constructor(
    private readonly clock: Clock,
    private readonly instances: number,
    maxCallers: number,
    private readonly slotsHeld: (key: string) => number,
  ) {
    this.#tallies = new LRUCache({ max: maxCallers });
  }

  consume({ uses }: Ask): Verdict {
    const nowMs = this.clock.monotonicMs();
    const decided = uses.map((use) => this.#decide(use, nowMs));
    const admitted = decided.every(({ fits }, i) => fits || uses[i]?.policy.shadow === true);
    return new Verdict(
      admitted,
      0,
      decided.map(({ fits, state, take }) => (admitted && fits ? take() : state)),
    );
  }

  #decide(use: PolicyUse, nowMs: number): Decision {
    const { policy, definition, key } = use;
    const share = Math.max(1, Math.floor(definition.limit / this.instances));
    // A cost that is above the share would never be had: then a request takes all of it.
    const units = Math.min(definition.units, share);
    if (policy.whenRedisIsDown === 'deny') return uncounted(0, 0);
    if (policy.whenRedisIsDown === 'allow') return uncounted(share, units);
    if (policy.isConcurrency) return uncounted(Math.max(0, share - this.slotsHeld(key)), 1);

    const lengthMs = windowMs(use);
    const index = Math.floor((nowMs * SUB_WINDOWS) / lengthMs);
    const slots = (this.#tallies.get(key)?.slots ?? []).filter((slot) => slot.index >= index - SUB_WINDOWS);
    const taken = slots.reduce((sum, slot) => sum + slot.units, 0);
    const leavesAfter = (slot: number): number =>
      Math.ceil(((slot + SUB_WINDOWS + 1) * lengthMs) / SUB_WINDOWS - nowMs);
    let over = taken + units - share;
    const last = slots.find((slot) => (over -= slot.units) <= 0);
    const fits = taken + units <= share;
    const newest = slots.at(-1);
    const take = (): PolicyState => {
      if (newest?.index === index) newest.units += units;
      else slots.push({ index, units });
      this.#tallies.set(key, { slots });
      return { remaining: share - taken - units, resetMs: leavesAfter(index), retryMs: 0 };
    };
    const state = {
      remaining: Math.max(0, share - taken),
      resetMs: newest === undefined ? 0 : leavesAfter(newest.index),
      retryMs: fits || last === undefined ? 0 : leavesAfter(last.index),
    };
    return { fits, state, take };
  }
}

interface Decision {
  readonly fits: boolean;
  /** While nothing is taken. */
  readonly state: PolicyState;
  readonly take: () => PolicyState;
}

/** By what is counted elsewhere, or nowhere. */
function uncounted(remaining: number, units: number): Decision {
  const fits = remaining > 0;
  const state = { remaining, resetMs: 0, retryMs: fits ? 0 : RETRY_MS };
  return { fits, state, take: () => ({ ...state, remaining: Math.max(0, remaining - units) }) };
}

/** When to come back where nobody can know. */
const RETRY_MS = 1_000;

/** In how long a time the limit is meant. */
function windowMs({ policy, definition }: PolicyUse): number {
  const { kind, a, b } = policy.algorithm;
  if (kind === KIND.gcra) return Math.max(1, (definition.limit * a) / b / 1_000);
  if (kind === KIND.bucket) return (Math.ceil(definition.limit / b) * a) / 1_000;
  return a / 1_000;
}

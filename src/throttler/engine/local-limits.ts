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
    const admitted = decided.every(({ fits }) => fits);
    const states = uses.map((use, i): PolicyState => {
      const { state, fits, take } = decided[i] as Decision;
      if (!admitted || !fits) return state;
      take();
      return { ...state, remaining: Math.max(0, state.remaining - use.definition.units) };
    });
    return new Verdict(admitted, 0, states);
  }

  #decide(use: PolicyUse, nowMs: number): Decision {
    const { policy, definition, key } = use;
    const share = Math.max(1, Math.floor(definition.limit / this.instances));
    // A cost that is above the share would never be had: then a request takes all of it.
    const units = Math.min(definition.units, share);
    if (policy.whenRedisIsDown !== 'local') {
      const fits = policy.whenRedisIsDown === 'allow' || policy.shadow;
      return { fits, state: { remaining: fits ? share : 0, resetMs: 0, retryMs: fits ? 0 : RETRY_MS }, take: nothing };
    }
    if (policy.isConcurrency) {
      const remaining = Math.max(0, share - this.slotsHeld(key));
      const fits = remaining > 0 || policy.shadow;
      return { fits, state: { remaining, resetMs: 0, retryMs: fits ? 0 : RETRY_MS }, take: nothing };
    }
    const widthMs = windowMs(use) / SUB_WINDOWS;
    const index = Math.floor(nowMs / widthMs);
    const slots = (this.#tallies.get(key)?.slots ?? []).filter((slot) => slot.index >= index - SUB_WINDOWS);
    const taken = slots.reduce((sum, slot) => sum + slot.units, 0);
    const leavesAfter = (slot: number): number => Math.ceil((slot + SUB_WINDOWS + 1) * widthMs - nowMs);
    let over = taken + units - share;
    const last = slots.find((slot) => (over -= slot.units) <= 0) ?? slots.at(-1);
    const fits = taken + units <= share;
    const retryMs = fits || last === undefined ? 0 : leavesAfter(last.index);
    const newest = slots.at(-1);
    const take = (): void => {
      if (newest?.index === index) newest.units += units;
      else slots.push({ index, units });
      this.#tallies.set(key, { slots });
    };
    const state = { remaining: Math.max(0, share - taken), resetMs: leavesAfter(newest?.index ?? index), retryMs };
    return { fits: fits || policy.shadow, state, take: fits ? take : nothing };
  }
}

interface Decision {
  readonly fits: boolean;
  readonly state: PolicyState;
  readonly take: () => void;
}

/** When to come back where nobody can know. */
const RETRY_MS = 1_000;

function nothing(): void {
  // Nothing is counted here.
}

/** In how long a time the limit is meant. */
function windowMs({ policy, definition }: PolicyUse): number {
  const { kind, a, b } = policy.algorithm;
  if (kind === KIND.gcra) return Math.max(1, (definition.limit * a) / b / 1_000);
  if (kind === KIND.bucket) return (Math.ceil(definition.limit / b) * a) / 1_000;
  return a / 1_000;
}

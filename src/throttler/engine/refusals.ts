import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/time/clock.js';
import type { Ask, PolicyUse } from './ask.js';
import { Verdict } from './verdict.js';

/** One that is over is replaced, or falls out in the end. */
interface Refusal {
  /** What was refused; undefined for a caller that is refused everything. */
  readonly ask: Ask | undefined;
  readonly verdict: Verdict;
  readonly atMs: number;
  readonly untilMs: number;
}

/** Kinds of requests of one caller that are remembered; the oldest goes first. */
const MOST_REFUSALS = 32;

/**
 * Who is known to be refused, and until when, as the server said: until then the same request is refused from memory. Only refusals that nothing but time ends,
 * or a `reset`, `unblock` or `refund`, which are announced to every process.
 */
export class Refusals {
  readonly #callers: LRUCache<string, Refusal[]>;
  /** Who was forgotten, at which of the times that somebody was. */
  readonly #forgotten: LRUCache<string, number>;
  #forgets = 0;
  #cleared = 0;

  constructor(
    private readonly clock: Clock,
    maxCallers: number,
  ) {
    this.#callers = new LRUCache({ max: maxCallers });
    this.#forgotten = new LRUCache({ max: maxCallers });
  }

  /** Ask for it before a decision is asked for, and give it to {@link note}: what was decided before its caller was forgotten is not remembered after. */
  get moment(): number {
    return this.#forgets;
  }

  /** The refusal of such a request, its times as of now. */
  find(ask: Ask): Verdict | undefined {
    if (this.#callers.size === 0) return undefined;
    for (const callerKey of ask.callerKeys) {
      const refusals = this.#callers.get(callerKey);
      if (refusals === undefined) continue;
      const nowMs = this.clock.monotonicMs();
      for (const refusal of refusals) {
        if (nowMs < refusal.untilMs && (refusal.ask === undefined || isAlike(refusal.ask, ask))) {
          return aged(refusal.verdict, nowMs - refusal.atMs);
        }
      }
    }
    return undefined;
  }

  /** Remembers what was refused, where that holds for a while. */
  note(ask: Ask, verdict: Verdict, moment: number): void {
    if (verdict.admitted || this.#cleared > moment) return;
    if (ask.callerKeys.some((callerKey) => (this.#forgotten.get(callerKey) ?? 0) > moment)) return;
    if (verdict.blockedMs > 0) {
      // Which of several callers is blocked is not said.
      if (ask.callerKeys.length === 1) this.#put(ask.callerKeys[0] as string, undefined, verdict, verdict.blockedMs);
      return;
    }
    let longest = 0;
    let callerKey = '';
    ask.uses.forEach(({ policy, callerKey: own }, i) => {
      const { retryMs = 0 } = verdict.states[i] ?? {};
      if (policy.shadow || policy.isConcurrency || retryMs <= longest) return;
      longest = retryMs;
      callerKey = own;
    });
    if (longest > 0) this.#put(callerKey, ask, verdict, longest);
  }

  forget(callerKey: string): void {
    this.#callers.delete(callerKey);
    this.#forgotten.set(callerKey, ++this.#forgets);
  }

  clear(): void {
    this.#callers.clear();
    this.#cleared = ++this.#forgets;
  }

  /** A block goes before all else, and stands for it. */
  #put(callerKey: string, ask: Ask | undefined, verdict: Verdict, forMs: number): void {
    const atMs = this.clock.monotonicMs();
    const refusal: Refusal = { ask, verdict, atMs, untilMs: atMs + forMs };
    if (ask === undefined) {
      this.#callers.set(callerKey, [refusal]);
      return;
    }
    const refusals = (this.#callers.get(callerKey) ?? []).filter(
      (other) => atMs < other.untilMs && (other.ask === undefined || !isAlike(other.ask, ask)),
    );
    refusals.splice(refusals[0]?.ask === undefined ? 1 : 0, 0, refusal);
    this.#callers.set(callerKey, refusals.slice(0, MOST_REFUSALS));
  }
}

/** Whether they take the same of the same counters. */
function isAlike({ uses }: Ask, { uses: others }: Ask): boolean {
  if (uses.length !== others.length) return false;
  for (let i = 0; i < uses.length; i++) {
    const use = uses[i] as PolicyUse;
    const other = others[i] as PolicyUse;
    if (use.policy !== other.policy || use.callerKey !== other.callerKey) return false;
    if (use.definition.limit !== other.definition.limit || use.definition.units !== other.definition.units)
      return false;
  }
  return true;
}

function aged(verdict: Verdict, ms: number): Verdict {
  const left = (then: number): number => Math.max(0, Math.ceil(then - ms));
  const states = verdict.states.map(({ remaining, resetMs, retryMs }) => ({
    remaining,
    resetMs: left(resetMs),
    retryMs: left(retryMs),
  }));
  return new Verdict(false, left(verdict.blockedMs), states);
}

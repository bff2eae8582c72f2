import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/time/clock.js';
import type { Ask } from './ask.js';
import { Verdict } from './verdict.js';

interface Refusal {
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
  readonly #callers: LRUCache<string, Map<string, Refusal>>;

  constructor(
    private readonly clock: Clock,
    maxCallers: number,
  ) {
    this.#callers = new LRUCache({ max: maxCallers });
  }

  /** The refusal of such a request, its times as of now. */
  find(ask: Ask): Verdict | undefined {
    if (this.#callers.size === 0) return undefined;
    for (const callerKey of ask.callerKeys) {
      const refusals = this.#callers.get(callerKey);
      if (refusals === undefined) continue;
      const found = this.#alive(refusals, BLOCK) ?? this.#alive(refusals, kindOf(ask));
      if (found !== undefined) return found;
      if (refusals.size === 0) this.#callers.delete(callerKey);
    }
    return undefined;
  }

  /** Remembers what was refused, where that holds for a while. */
  note(ask: Ask, verdict: Verdict): void {
    if (verdict.admitted) return;
    if (verdict.blockedMs > 0) {
      // Which of several callers is blocked is not said.
      if (ask.callerKeys.length === 1) this.#put(ask.callerKeys[0] as string, BLOCK, verdict, verdict.blockedMs);
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
    if (longest > 0) this.#put(callerKey, kindOf(ask), verdict, longest);
  }

  forget(callerKey: string): void {
    this.#callers.delete(callerKey);
  }

  clear(): void {
    this.#callers.clear();
  }

  #put(callerKey: string, kind: string, verdict: Verdict, forMs: number): void {
    const refusals = this.#callers.get(callerKey) ?? new Map<string, Refusal>();
    const atMs = this.clock.monotonicMs();
    refusals.delete(kind);
    refusals.set(kind, { verdict, atMs, untilMs: atMs + forMs });
    if (refusals.size > MOST_REFUSALS) refusals.delete(refusals.keys().next().value as string);
    this.#callers.set(callerKey, refusals);
  }

  #alive(refusals: Map<string, Refusal>, kind: string): Verdict | undefined {
    const refusal = refusals.get(kind);
    if (refusal === undefined) return undefined;
    const nowMs = this.clock.monotonicMs();
    if (nowMs < refusal.untilMs) return aged(refusal.verdict, nowMs - refusal.atMs);
    refusals.delete(kind);
    return undefined;
  }
}

const BLOCK = '';

/** Equal for requests that are refused alike. */
function kindOf({ uses }: Ask): string {
  let kind = '';
  for (const { key, definition } of uses) kind += `${key} ${definition.limit} ${definition.units} `;
  return kind;
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

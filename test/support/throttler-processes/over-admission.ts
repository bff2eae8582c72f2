import type { Decision } from './protocol.js';

/** A policy as a checker needs it. */
export interface Bound {
  readonly name: string;
  /** The most units in any stretch of time so long. */
  readonly mostIn: (us: number) => number;
}

/** What a window admits, and nothing is said of longer stretches. */
export function windowBound(name: string, limit: number, windowUs: number): Bound {
  return { name, mostIn: (us) => (us < windowUs ? limit : Infinity) };
}

/** What GCRA admits. */
export function rateBound(name: string, burst: number, unitUs: number): Bound {
  return { name, mostIn: (us) => burst + Math.floor(us / unitUs) };
}

/**
 * By how many units more was admitted than a policy allows, at most, for any caller; 0 when all is well. It knows nothing of what decided: a request was decided
 * some time between its sending and its answer, so all that were sent and answered within a stretch of time were admitted in it.
 */
export function overAdmission(decisions: readonly Decision[], { name, mostIn }: Bound): number {
  const callers = new Map<string, Decision[]>();
  for (const decision of decisions) {
    if (!decision.admitted || !decision.policies.includes(name)) continue;
    const own = callers.get(decision.caller) ?? [];
    callers.set(decision.caller, own);
    own.push(decision);
  }
  let most = 0;
  for (const admitted of callers.values()) {
    const byEnd = admitted.toSorted((a, b) => a.answeredUs - b.answeredUs);
    for (const { sentUs: startUs } of admitted) {
      let units = 0;
      for (const decision of byEnd) {
        if (decision.sentUs < startUs) continue;
        units += decision.units;
        most = Math.max(most, units - mostIn(decision.answeredUs - startUs));
      }
    }
  }
  return most;
}

/**
 * The same against the sequence of all decisions, for a policy of which nothing comes back meanwhile: in any order that the times allow, exactly `limit` units are
 * admitted one by one, and nobody is refused while there is room. Gives what is wrong, in words.
 */
export function wrongInSequence(decisions: readonly Decision[], name: string, limit: number): readonly string[] {
  const wrong: string[] = [];
  for (const caller of new Set(decisions.map((decision) => decision.caller))) {
    const own = decisions.filter((decision) => decision.caller === caller && decision.policies.includes(name));
    const admitted = own.filter((decision) => decision.admitted);
    if (admitted.length !== limit) wrong.push(`${caller}: ${admitted.length} of ${own.length} were admitted`);
    const lastSentUs = Math.max(...admitted.map(({ sentUs }) => sentUs));
    const early = own.filter((decision) => !decision.admitted && decision.answeredUs < lastSentUs);
    if (early.length > 0) wrong.push(`${caller}: ${early.length} were refused before the last was admitted`);
  }
  return wrong;
}

import type { Ask } from './ask.js';

/** Where a caller stands with one policy. */
export interface PolicyState {
  /** Units that are left. */
  readonly remaining: number;
  /** After how many milliseconds the whole limit is there again, if nothing more is taken. */
  readonly resetMs: number;
  /** After how many milliseconds there is room for the units that were asked for; 0 when there is, or was. */
  readonly retryMs: number;
}

/** What was decided about one request. */
export class Verdict {
  constructor(
    readonly admitted: boolean,
    /** For how many milliseconds the caller is blocked; 0 when it is not. Then there are no states. */
    readonly blockedMs: number,
    /** In the order of the request's policies. */
    readonly states: readonly PolicyState[],
  ) {}
}

/** Reads the script's reply, from behind the time on. */
export function readVerdicts(reply: readonly number[], asks: readonly Pick<Ask, 'uses'>[]): Verdict[] {
  const verdicts: Verdict[] = [];
  let at = 1;
  for (const { uses } of asks) {
    const outcome = reply[at++];
    if (outcome === -1) {
      verdicts.push(new Verdict(false, reply[at++] as number, []));
      continue;
    }
    const states: PolicyState[] = [];
    for (let i = 0; i < uses.length; i++, at += 3) {
      const [remaining, resetMs, retryMs] = [reply[at], reply[at + 1], reply[at + 2]] as [number, number, number];
      states.push({ remaining, resetMs, retryMs });
    }
    verdicts.push(new Verdict(outcome === 1, 0, states));
  }
  return verdicts;
}

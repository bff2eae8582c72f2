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

/** Reads one verdict out of the script's reply. Gives where the next one begins. */
export function readVerdict(reply: readonly number[], at: number, policies: number): [verdict: Verdict, next: number] {
  const outcome = reply[at];
  if (outcome === -1) return [new Verdict(false, reply[at + 1] as number, []), at + 2];
  const states: PolicyState[] = [];
  for (let i = 0; i < policies; i++) {
    const place = at + 1 + 3 * i;
    states.push({
      remaining: reply[place] as number,
      resetMs: reply[place + 1] as number,
      retryMs: reply[place + 2] as number,
    });
  }
  return [new Verdict(outcome === 1, 0, states), at + 1 + 3 * policies];
}

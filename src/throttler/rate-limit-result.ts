/** Where a caller stands with one policy. */
export interface PolicyResult {
  readonly name: string;
  readonly limit: number;
  /** Units that are left after this request. */
  readonly remaining: number;
  /** After how many milliseconds the whole limit is there again, if nothing more is taken. */
  readonly resetMs: number;
  /** After how many milliseconds there is room for what was asked; 0 when there was. */
  readonly retryAfterMs: number;
  /** Whether it refuses nobody, and only says what it would do. */
  readonly shadow: boolean;
  /** In how many seconds, rounded up, the limit is meant; undefined for a limit of requests at once. */
  readonly windowSeconds: number | undefined;
}

/** Who decided: Redis; what this process remembers of its refusals; or this process by itself, while Redis is away. */
export type DecidedBy = 'redis' | 'memory' | 'process';

/** What was decided about a request. A refusal is a value, and no error. */
export class RateLimitResult {
  constructor(
    readonly admitted: boolean,
    /** After how many milliseconds the same request is admitted, if nobody else takes the room; 0 when it was. For a limit of requests at once it is a guess: a second. */
    readonly retryAfterMs: number,
    /** Whether it was refused because its caller is on the block list. Then `policies` is empty. */
    readonly blocked: boolean,
    readonly policies: readonly PolicyResult[],
    readonly decidedBy: DecidedBy,
    /** Whether it was refused because Redis is away, by a policy that is to refuse then. */
    readonly isOutage: boolean,
    /** Gives the slots of a limit of requests at once back; without one it does nothing. Call it when the work is done. It never rejects. */
    readonly release: () => Promise<void>,
  ) {}

  /** The policies that refuse, those in shadow mode left out. */
  get refusedBy(): readonly string[] {
    return this.policies.filter(({ retryAfterMs, shadow }) => retryAfterMs > 0 && !shadow).map(({ name }) => name);
  }
}

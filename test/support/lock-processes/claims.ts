/** What is asked for: all of a resource, or so many of its units. */
export interface Wish {
  readonly resource: string;
  /** Those who have it together have no more units than `of`. A mutex is 1 of 1; a writer takes all, and a reader one. */
  readonly units: number;
  readonly of: number;
  readonly as: 'write' | 'read' | 'permits';
}

/** One grant of a lock, as its holder knows it. All times are microseconds on the clock that all processes share, and bounds that are certain. */
export interface Claim extends Wish {
  readonly id: string;
  /** Which process has it. */
  readonly process: string;
  readonly fence: number;
  /** When it was asked for. */
  readonly calledUs: number;
  /** From then on it was in the queue, if it is known to have been there. */
  readonly queuedUs: number | null;
  /** It was granted no sooner. */
  readonly askedUs: number;
  /** It was granted by then. */
  readonly grantedUs: number;
  /** It was held until then, at least. */
  readonly heldUntilUs: number;
  /** The process stood still for long before it was granted, so that its place in the queue may have been lost. */
  readonly isLate: boolean;
}

/** A write under a claim, in the order in which they came to where they are written. */
export interface Write {
  readonly claim: Claim;
  readonly isAccepted: boolean;
}

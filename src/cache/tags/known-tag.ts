/** A tag's token as this process knows it. Copies in memory hold on to it, so that they all see at once when it is no longer live. */
export interface KnownTag {
  readonly token: string;
  /** When it was learnt, in the order of the tag book. */
  readonly order: number;
  /** When it was last found to be the present one, in that order. */
  confirmed: number;
  /** Until when the store keeps it for sure, by the monotonic clock. */
  heldUntilMs: number;
  /** True while a change of the token would be heard of, and none was. */
  isLive: boolean;
}

/** Issued by an invalidation, `i` and the tags' clock; other tokens were made because a tag had none. */
const INVALIDATION = /^i(\d+)$/;

/** The beginning of a load, as far as tags are concerned. */
export class LoadMark {
  constructor(
    readonly clockKey: string,
    /** What was learnt up to then. */
    readonly order: number,
    /** The tags' clock, or an earlier one; undefined when it was not known. */
    readonly clockUs: number | undefined,
    /** When that was learnt. */
    readonly clockOrder = 0,
  ) {}
}

/** Whether the tag had this token before the load began. False when that is not certain. */
export function isFromBefore(tag: KnownTag, mark: LoadMark): boolean {
  if (tag.order <= mark.order) return true;
  const stamp = stampOf(tag.token);
  // A tag without a token was not invalidated lately: the token of an invalidation is kept for longer than a load may take.
  if (stamp === undefined) return true;
  return mark.clockUs !== undefined && stamp <= mark.clockUs;
}

/** The tags' clock when an invalidation issued the token; undefined for a token that none issued. */
export function stampOf(token: string): number | undefined {
  const stamp = INVALIDATION.exec(token)?.[1];
  return stamp === undefined ? undefined : Number(stamp);
}

/** Whether a tag's token was issued after its other one: both kinds carry the time, on a clock that an invalidation never sets back. */
export function isIssuedLater(token: string, other: string): boolean {
  return Number(token.slice(1)) > Number(other.slice(1));
}

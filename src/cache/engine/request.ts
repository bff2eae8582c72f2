import type { Policy } from './policy.js';

/** Where the tags of a cache, or of one scope of it, live. */
export interface TagSpace {
  readonly clockKey: string;
  /** What the key of each tag begins with; the rest stands in entries. */
  readonly prefix: string;
}

/** One `getOrSet`, with every default filled in and every key built. */
export interface LoadRequest {
  readonly entry: string;
  readonly space: TagSpace;
  /** Keys of the tags that are known before the load. */
  readonly tags: readonly string[];
  /** Gives the keys of all tags of a value; null when they do not depend on it. */
  readonly tagsOf: ((value: unknown) => readonly string[]) | null;
  readonly policy: Policy;
  readonly expiresAt: Date | undefined;
  readonly unless: ((value: unknown) => boolean) | null;
  readonly load: () => unknown;
  /** Called when somebody else turns out to be loading the entry. */
  readonly onWait: (() => void) | null;
}

/** What the parent passes on the command line. */
export interface ChildSettings {
  readonly redisUrl: string;
  readonly sourceUrl: string;
  readonly prefix: string;
  /** Where the first flush stops for good: before the source has taken the batch, or after. */
  readonly hang?: 'before' | 'after';
}

/** A write that the child is to make. */
export interface ToChild {
  readonly write: number;
  readonly key: number;
  readonly by: number;
  readonly id: string;
}

/** What the child says. */
export type FromChild =
  | { readonly ready: true }
  | { readonly acknowledged: number }
  | { readonly failed: number }
  | { readonly hanging: string };

/** Where the source keeps the ids of its batches, its sums, and how often it skipped a batch. */
export function sourceKeys(prefix: string): [ids: string, sums: string, skipped: string] {
  return [`${prefix}:{source}:ids`, `${prefix}:{source}:sums`, `${prefix}:{source}:skipped`];
}

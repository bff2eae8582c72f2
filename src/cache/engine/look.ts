import type { StoredValue } from '../entry/entry-format.js';
import type { Lease } from './lease.js';
import type { RunningLoad } from './loads.js';
import type { Waiter } from './waiters.js';

/** What came of looking for a value. `stale` is one that may be served if there is no better one in time. */
export type Look =
  /** Here it is. */
  | { readonly kind: 'found'; readonly value: unknown; readonly isStale: boolean }
  /** It is ours to load; without a lease the store is away, and what we load is not stored. */
  | { readonly kind: 'ours'; readonly lease: Lease | null; readonly stale: StoredValue | null }
  /** This process is loading it. */
  | { readonly kind: 'joined'; readonly load: RunningLoad; readonly stale: StoredValue | null }
  /** Another process is loading it. */
  | {
      readonly kind: 'theirs';
      readonly waiter: Waiter;
      readonly waitMs: number;
      readonly stale: StoredValue | null;
    }
  /** It could not be loaded a moment ago. */
  | {
      readonly kind: 'failed';
      readonly id: string;
      readonly untilMs: number;
      readonly stale: StoredValue | null;
    }
  /** Things moved while we looked. */
  | { readonly kind: 'again' };

/** The store is away. */
export const WITHOUT_STORE: Look = { kind: 'ours', lease: null, stale: null };

/** Look again. */
export const AGAIN: Look = { kind: 'again' };

import type { StoredValue } from '../entry/entry-format.js';
import type { AskedTags } from '../tags/tag-peeks.js';
import type { RunningLoad } from './running-load.js';
import type { Waiter } from './waiters.js';

/** A value that was there. */
export class Found {
  readonly kind = 'found';

  constructor(
    readonly value: unknown,
    readonly isStale: boolean,
  ) {}
}

/** What came of looking for a value. `stale` is one that may be served if there is no better one in time. */
export type Look =
  /** Here it is. */
  | Found
  /** It was ours to load, and the load has begun. */
  | { readonly kind: 'ours'; readonly load: RunningLoad; readonly stale: StoredValue | null }
  /** The store is away, or cannot tell of others' loads: what we load is not stored. */
  | { readonly kind: 'storeless'; readonly stale: StoredValue | null }
  /** This process is loading it. `asked`: the tokens that were asked for meanwhile. */
  | {
      readonly kind: 'joined';
      readonly load: RunningLoad;
      readonly asked: AskedTags | undefined;
      readonly stale: StoredValue | null;
    }
  /** Another process is loading it. */
  | {
      readonly kind: 'theirs';
      readonly waiter: Waiter;
      readonly waitMs: number;
      /** The id of its lease, and the tokens that were asked for meanwhile: by these, what it stores can be used as it comes. */
      readonly holder: string | null;
      readonly asked: AskedTags | undefined;
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
export const WITHOUT_STORE: Look = { kind: 'storeless', stale: null };

/** Look again. */
export const AGAIN: Look = { kind: 'again' };

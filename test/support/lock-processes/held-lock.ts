import type { Claim, Wish } from './claims.js';

/** How a lock is asked for. */
export interface AskSettings {
  readonly ttlMs: number;
  readonly waitMs: number;
  /** By `using`, where the maker has such a thing. */
  readonly byUsing: boolean;
}

/** A lock that this process has, and what it knows of that. */
export interface HeldLock {
  /** As of the last look. */
  readonly claim: Claim;
  /** Looks whether it is still held. */
  look(): void;
}

/** Whoever makes locks. */
export interface Locks {
  /** Runs it with the lock, and gives that back. Rejects when it does not get it; resolves or rejects when it was lost meanwhile. */
  run(wish: Wish, settings: AskSettings, work: (held: HeldLock) => Promise<void>): Promise<void>;
  /** Whether an error is one that a user has to expect. */
  isExpected(error: unknown): boolean;
  close(): Promise<void>;
}

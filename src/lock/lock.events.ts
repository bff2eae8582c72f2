import { Logger } from '@nestjs/common';
import type { Cancel } from '../core/time/clock.js';
import type { LossReason } from './lock.errors.js';
import type { LockName } from './lock-name.js';

/** What happens to locks in this process. `name` may be personal data; nothing of it is logged or exported by Rookery. */
export type LockEvent =
  | { readonly type: 'acquired'; readonly name: LockName; readonly fence: number; readonly waitedMs: number }
  | { readonly type: 'refused'; readonly name: LockName; readonly waitedMs: number }
  | { readonly type: 'released'; readonly name: LockName; readonly fence: number; readonly heldMs: number }
  | { readonly type: 'lost'; readonly name: LockName; readonly fence: number; readonly reason: LossReason }
  /** For the audit: somebody took it away from its holders. */
  | {
      readonly type: 'released-by-force';
      readonly name: LockName;
      readonly reason: string;
      readonly holders: number;
      /** Milliseconds since the epoch, by this process's clock. */
      readonly atMs: number;
    };

/** Gets each event as it happens. What it throws or rejects with is logged, and costs nobody else the event. */
export type LockEventListener = (event: LockEvent) => unknown;

/** Tells listeners what happens. Without any, an event costs a comparison. */
export class LockEvents {
  readonly #listeners = new Set<{ readonly listener: LockEventListener }>();
  readonly #logger = new Logger('LockModule');

  /** Whether anybody listens: ask before an event is made. */
  get isHeard(): boolean {
    return this.#listeners.size > 0;
  }

  on(listener: LockEventListener): Cancel {
    const entry = { listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  emit(event: LockEvent): void {
    for (const { listener } of this.#listeners) {
      try {
        const returned = listener(event);
        if (returned instanceof Promise) returned.catch(this.#logFailure);
      } catch (error) {
        this.#logFailure(error);
      }
    }
  }

  readonly #logFailure = (error: unknown): void => {
    this.#logger.error(`A listener to lock events failed: ${error instanceof Error ? error.name : typeof error}.`);
  };
}

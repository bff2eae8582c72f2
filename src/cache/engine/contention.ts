import type { Codec } from '../../core/codec/codec.js';
import { readHeld } from '../entry/entry-format.js';
import type { Contended, EntryStore } from '../store/entry-store.js';
import { Waiters, type Waiter } from './waiters.js';

/** Another process's lease, of whose end this one has asked to be told. */
interface AwaitedLease {
  readonly holder: string;
  readonly asking: Promise<Contended>;
  readonly atMs: number;
}

/** Long enough to make a connection. After an attempt that took longer, or failed, nobody waits for the next ones. */
const PATIENCE_MS = 250;

/** How often a caller looks for itself while ends of loads are not heard of. */
const LOOK_MS = 50;

/** Loads in other processes that callers of this one wait for: one asks to be woken for all of them. */
export class Contention {
  readonly #waiters = new Waiters();
  /** By entry. */
  readonly #awaited = new Map<string, AwaitedLease>();
  #hears = false;
  #attempt: Promise<void> | undefined;
  #patienceMs = PATIENCE_MS;

  constructor(
    private readonly store: EntryStore,
    private readonly codec: Codec,
  ) {}

  /** Begins to hear of the ends of loads, and waits a moment for it. Whoever is there when that begins is woken, since a wake may have been missed. */
  async listen(): Promise<void> {
    if (!this.#hears) await (this.#attempt ??= this.#tryToListen());
  }

  /** For how long one may wait until one looks again, when a lease has `leftMs` left: where its end would not be heard of, a moment. */
  waitMs(leftMs: number): number {
    return this.#hears ? leftMs : Math.min(leftMs, LOOK_MS);
  }

  #tryToListen(): Promise<void> {
    return new Promise((resolve) => {
      const outOfPatience = (): void => {
        this.#patienceMs = 0;
        resolve();
      };
      const timer = setTimeout(outOfPatience, this.#patienceMs);
      this.store.listen(this.wake).then(
        () => {
          this.#hears = true;
          // What ended before was not heard of by those who did not wait for this.
          this.wake(null, null);
          clearTimeout(timer);
          resolve();
        },
        () => {
          clearTimeout(timer);
          outOfPatience();
          this.#attempt = undefined;
        },
      );
    });
  }

  /** See {@link Waiters.add}. */
  add(entry: string): Waiter {
    return this.#waiters.add(entry);
  }

  /** How much is left of the lease that `holder` has on the entry, when somebody in this process has asked to be told of its end; else undefined. */
  leftOf(entry: string, holder: string): Promise<number> | undefined {
    const awaited = this.#awaited.get(entry);
    if (awaited?.holder !== holder) return undefined;
    return awaited.asking.then(({ waitMs }) => awaited.atMs + waitMs - performance.now());
  }

  /** Somebody asks to be told of the end of that lease. */
  note(entry: string, holder: string, asking: Promise<Contended>): void {
    const awaited: AwaitedLease = { holder, asking, atMs: performance.now() };
    this.#awaited.set(entry, awaited);
    const forget = (): void => {
      if (this.#awaited.get(entry) === awaited) this.#awaited.delete(entry);
    };
    asking.then(({ waitMs }) => {
      if (waitMs === 0) forget();
      else setTimeout(forget, waitMs).unref();
    }, forget);
  }

  /** Wakes those who wait for the entry; for null, everybody. */
  readonly wake = (entry: string | null, stored: Buffer | null): void => {
    // First of all, since whoever finds a lease from now on has to ask anew.
    if (entry === null) this.#awaited.clear();
    else this.#awaited.delete(entry);
    // Read once for all who wait.
    const held = stored === null ? null : readHeld(this.codec, stored);
    this.#waiters.wake(entry, held?.kind === 'value' ? held : null);
  };
}

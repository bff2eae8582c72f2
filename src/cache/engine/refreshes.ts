import type { Codec } from '../../core/codec/codec.js';
import type { Clock } from '../../core/time/clock.js';
import type { CacheCounters } from '../cache-counters.js';
import { readHeld, type StoredValue } from '../entry/entry-format.js';
import type { EntryStore } from '../store/entry-store.js';
import type { Lease } from './lease.js';
import type { Leases } from './leases.js';
import type { Loads } from './loads.js';
import type { LoadRequest } from './request.js';
import type { RunningLoad } from './running-load.js';

/** How long this process leaves a refresh alone that another one has begun, before it asks again. */
const LONGEST_TRUST_MS = 1_000;

/** What {@link Refreshes} are made of. */
export interface RefreshesOptions {
  readonly store: EntryStore;
  readonly loads: Loads;
  readonly leases: Leases;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly counters: CacheCounters;
  readonly onStoreError: (error: unknown) => void;
}

/** A load, and the beginning of the very entry that it is to replace. */
interface Refresh {
  readonly load: RunningLoad;
  readonly head: Lease['head'];
}

/** Loads that are to replace an entry which is still there. */
export class Refreshes {
  /** By entry: this process's own, and null for others' that it need not ask about for a while. */
  readonly #known = new Map<string, Refresh | null>();

  constructor(private readonly options: RefreshesOptions) {}

  /**
   * The load of this process that is to replace the entry which begins with `head`. One that is to replace an earlier entry under the same key may have begun before a
   * deletion that the present readers came after.
   */
  running(entry: string, head: string | Buffer): RunningLoad | null {
    const known = this.#knownOf(entry) ?? null;
    return known !== null && isSameHead(known.head, head) ? known.load : null;
  }

  /** Loads under a lease that we have; others in this process may join. */
  start(request: LoadRequest, lease: Lease, stale: StoredValue | null): RunningLoad {
    const { entry } = request;
    const load = this.options.loads.start(request, lease, stale);
    const refresh: Refresh = { load, head: lease.head };
    this.#known.set(entry, refresh);
    const ended = (): void => {
      if (this.#known.get(entry) === refresh) this.#known.delete(entry);
    };
    load.result.then(ended, ended);
    return load;
  }

  /** Loads a new value in the background, unless somebody else does. */
  inBackground(request: LoadRequest, stored: StoredValue): void {
    const { entry } = request;
    if (this.#knownOf(entry) !== undefined) return;
    this.#known.set(entry, null);
    this.#tryToStart(request, stored).then(
      (trustMs) => this.#trust(entry, trustMs),
      (error: unknown) => {
        this.options.onStoreError(error);
        this.#trust(entry, LONGEST_TRUST_MS);
      },
    );
  }

  #knownOf(entry: string): Refresh | null | undefined {
    const known = this.#known.get(entry);
    // Its lease has passed on long ago.
    return known && this.options.loads.isOverdue(known.load) ? undefined : known;
  }

  /** Returns for how long another's refresh, or failure, need not be asked about; null when the refresh is ours. */
  async #tryToStart(request: LoadRequest, stored: StoredValue): Promise<number | null> {
    const { store, leases, leaseMs, counters, codec, clock } = this.options;
    const { entry } = request;
    const lease = leases.next(entry, stored.head);
    const asking = store.claimRefresh(entry, stored.head, lease.marker, leaseMs, false);
    const claim = await leases.orGiveBack(lease, asking);
    if (claim.kind === 'ours') {
      counters.refreshes += 1;
      this.start(request, lease, stored).result.catch(ignoreSinceItIsCounted);
      return null;
    }
    if (claim.kind === 'theirs') return claim.waitMs;
    const mark = claim.kind === 'failed' ? readHeld(codec, claim.mark) : null;
    return mark?.kind === 'failure' ? mark.untilMs - clock.now() : 0;
  }

  #trust(entry: string, ms: number | null): void {
    if (ms === null) return;
    const end = (): void => {
      if (this.#known.get(entry) === null) this.#known.delete(entry);
    };
    setTimeout(end, Math.min(ms, LONGEST_TRUST_MS)).unref();
  }
}

function isSameHead(one: Lease['head'], other: string | Buffer): boolean {
  return one !== null && Buffer.from(one).equals(Buffer.from(other));
}

function ignoreSinceItIsCounted(): void {
  // The load counts its failures itself.
}

import type { Codec } from '../../core/codec/codec.js';
import { InFlight } from '../../core/collections/in-flight.js';
import type { Clock } from '../../core/time/clock.js';
import type { CacheCounters } from '../cache-counters.js';
import type { CacheEvents } from '../cache-events.js';
import {
  decodePayload,
  encodePayload,
  writeFailure,
  writeValue,
  TagToken,
  type Payload,
  type StoredValue,
} from '../entry/entry-format.js';
import { refreshLeaseKey } from '../entry/lease-key.js';
import type { EntryStore } from '../store/entry-store.js';
import type { LoadMark } from '../tags/known-tag.js';
import type { TagBook } from '../tags/tag-book.js';
import type { Unconfirmed } from '../unconfirmed.js';
import { isAnswer } from './is-answer.js';
import { LeaseKeeper, longestLoadMs, type Lease } from './lease.js';
import { Lifetime, lifetimeOf } from './policy.js';
import type { LoadRequest, TagSpace } from './request.js';
import { LoadBeginning, Loaded, RunningLoad } from './running-load.js';

/** How long a shutdown waits for what was loaded to be stored. */
const DRAIN_MS = 2_000;

/** How many failures a process remembers with their errors. */
const MOST_FAILURES = 1_000;

const NO_TAGS: readonly TagToken[] = [];

/** What the loads of a cache have in common. */
export interface LoadsOptions {
  readonly store: EntryStore;
  readonly tags: TagBook;
  readonly clock: Clock;
  readonly codec: Codec;
  readonly compressAbove: number;
  readonly leaseMs: number;
  readonly counters: CacheCounters;
  readonly events: CacheEvents;
  readonly evictions: Unconfirmed;
  /** Makes of a way to decode a value the way to hand it out: to each caller a copy, or to all the same, frozen. */
  readonly handing: (decode: () => unknown) => () => unknown;
  /** Something was not stored because the store could not: what now lies under these keys is not to be trusted. */
  readonly onLost: (keys: readonly string[], error: unknown) => void;
}

/** A loaded value, about to be stored. */
class Fresh {
  constructor(
    readonly payload: Payload | null,
    readonly nowMs: number,
    readonly loadMs: number,
    readonly life: Lifetime,
    readonly tags: Loaded['tags'],
  ) {}
}

/** Runs loaders, and puts what they bring in the place of the lease that they ran under. */
export class Loads {
  /** Loads that are under way, or whose value is on its way to the store, by the id of their lease. */
  readonly #leased = new InFlight<string, RunningLoad>();
  /** Failures of this process that are backed off, by the id of the mark that stands for them. */
  readonly #failures = new Map<string, unknown>();
  readonly #settling = new InFlight<Promise<void>, Lease>();
  readonly #keeper: LeaseKeeper;

  constructor(private readonly options: LoadsOptions) {
    this.#keeper = new LeaseKeeper(options.store, options.leaseMs, ({ id }) => this.#giveUp(id));
  }

  /** The load that runs under that lease in this process, or whose value is on its way to the store. */
  under(leaseId: string): RunningLoad | undefined {
    return this.#leased.get(leaseId);
  }

  /** The error for which a mark stands, when it was this process that failed. */
  failureOf(id: string): { readonly error: unknown } | undefined {
    return this.#failures.has(id) ? { error: this.#failures.get(id) } : undefined;
  }

  /**
   * Runs the loader, and stores what it brings under the lease; without a lease nothing is stored. When the loader fails and there is a `stale` value, that one
   * serves on for the policy's `throttle`. Settles as the loader does, and does not wait for the storing.
   */
  start(request: LoadRequest, lease: Lease | null, stale: StoredValue | null): RunningLoad {
    const { clock, evictions, tags } = this.options;
    const mark = tags.mark(request.space.clockKey);
    const beginning = new LoadBeginning(clock.monotonicMs(), mark, evictions.moment);
    const load = new RunningLoad(this.#run(request, lease, stale, beginning), beginning);
    if (lease !== null) {
      this.#leased.set(lease.id, load);
      this.#keeper.keep(lease);
    }
    return load;
  }

  /** Whether the load has taken so long that nobody is to join it any more. */
  isOverdue({ beginning }: RunningLoad): boolean {
    return this.options.clock.monotonicMs() - beginning.startedMs > longestLoadMs(this.options.leaseMs);
  }

  /** The tokens that the request's own tags had before the load; see {@link Loaded.tags}. */
  tagsBefore({ beginning }: RunningLoad, { tags, space }: LoadRequest): Loaded['tags'] {
    return this.#tokensOf(beginning.mark, tags, space, 0);
  }

  /** Gives a lease back without having loaded: one that we have, or may have. */
  giveBack(lease: Lease): void {
    this.#settle(lease, () => this.#storeNothing(lease));
  }

  /** Waits until everything loaded is stored, though not for ever while there are more and more loads. */
  async drain(): Promise<void> {
    const { clock } = this.options;
    const untilMs = clock.monotonicMs() + DRAIN_MS;
    while (this.#settling.size > 0 && clock.monotonicMs() < untilMs) {
      await Promise.all(this.#settling.entries().map(([settling]) => settling));
    }
  }

  #giveUp(leaseId: string): void {
    this.#leased.get(leaseId)?.giveUp();
    this.#leased.delete(leaseId);
  }

  async #run(
    request: LoadRequest,
    lease: Lease | null,
    stale: StoredValue | null,
    { startedMs, mark }: LoadBeginning,
  ): Promise<Loaded> {
    const { counters, events, clock } = this.options;
    counters.loads += 1;
    try {
      const value = await request.load();
      const loadMs = clock.monotonicMs() - startedMs;
      counters.loadMs += loadMs;
      if (events.isHeard) events.emit({ type: 'load', key: request.entry, durationMs: loadMs });
      return this.#keep(request, lease, mark, value, loadMs);
    } catch (error) {
      const durationMs = clock.monotonicMs() - startedMs;
      counters.loadFailures += 1;
      events.emit({ type: 'load-failed', key: request.entry, durationMs, error });
      if (lease !== null) this.#settle(lease, () => this.#storeFailure(request, lease, stale, error));
      throw error;
    }
  }

  #keep(request: LoadRequest, lease: Lease | null, mark: LoadMark, value: unknown, loadMs: number): Loaded {
    const nowMs = this.options.clock.now();
    const payload = this.#tryEncode(value);
    const isWanted = payload !== null && request.unless?.(value) !== true;
    const life = isWanted ? lifetimeOf(request.policy, value, request.expiresAt, nowMs, Math.random) : UNWANTED;
    // Without the store there are no tokens, and nobody joins who came after an invalidation.
    const tags = value === undefined || lease === null ? undefined : this.#tagsOf(request, mark, value, life);
    if (lease !== null) {
      const fresh = new Fresh(payload, nowMs, loadMs, life, tags);
      this.#settle(lease, () => this.#storeValue(lease, fresh));
    }
    const { codec, handing } = this.options;
    const hand = payload === null ? (): unknown => value : handing(() => decodePayload(codec, payload));
    return new Loaded(hand, tags, life.freshMs > 0);
  }

  /** Undefined is nothing to keep; what cannot be encoded is for its caller all the same. */
  #tryEncode(value: unknown): Payload | null {
    if (value === undefined) return null;
    try {
      return encodePayload(this.options.codec, value, this.options.compressAbove);
    } catch {
      this.options.counters.unencodable += 1;
      return null;
    }
  }

  #tagsOf(request: LoadRequest, mark: LoadMark, value: unknown, life: Lifetime): Fresh['tags'] {
    const { tags, tagsOf, space } = request;
    const keys = tagsOf === null ? tags : [...new Set([...tags, ...tagsOf(value)])];
    return this.#tokensOf(mark, keys, space, life.keptMs);
  }

  #tokensOf(mark: LoadMark, keys: readonly string[], space: TagSpace, keptMs: number): Loaded['tags'] {
    if (keys.length === 0) return undefined;
    const read = this.options.tags
      .forEntry(mark, keys, keptMs)
      .then(
        (tokens) =>
          tokens?.map((token, i) => new TagToken((keys[i] as string).slice(space.prefix.length), token)) ?? null,
      );
    read.catch(ignoreSinceTheStoringTells);
    return read;
  }

  async #storeValue(lease: Lease, { payload, nowMs, loadMs, life, tags: tagged }: Fresh): Promise<void> {
    if (payload === null || life.freshMs === 0) return this.#storeNothing(lease);
    const { counters, events, codec, store } = this.options;
    const tags = tagged === undefined ? NO_TAGS : await tagged;
    if (tags === null) await this.#storeNothing(lease);
    const facts = { freshUntilMs: nowMs + life.freshMs, storedAtMs: nowMs, loadMs, tags: tags ?? NO_TAGS };
    const { entry, head, marker, id } = lease;
    const bytes = writeValue(codec, id, payload, facts);
    const ttlMs = life.keptMs;
    const isStored =
      tags !== null &&
      (await (head === null
        ? this.#settleEntry(lease, bytes, ttlMs)
        : store.settleRefresh(entry, head, marker, { kind: 'value', bytes, ttlMs })));
    if (!isStored) counters.loadsOvertaken += 1;
    if (events.isHeard) events.emit({ type: isStored ? 'stored' : 'overtaken', key: entry });
  }

  #settleEntry({ entry, marker, id }: Lease, outcome: string | Buffer, ttlMs: number): Promise<boolean> {
    // Where nothing is kept, whoever asks next is to load again.
    const isUrgent = outcome === '' || this.#leased.get(id)?.isAwaited === true;
    return this.options.store.settle(entry, marker, outcome, ttlMs, isUrgent);
  }

  async #storeNothing(lease: Lease): Promise<void> {
    const { entry, head, marker } = lease;
    if (head === null) await this.#settleEntry(lease, '', 0);
    else await this.options.store.settleRefresh(entry, head, marker, { kind: 'nothing' });
  }

  async #storeFailure({ policy }: LoadRequest, lease: Lease, stale: StoredValue | null, error: unknown): Promise<void> {
    const { entry, head, marker, id } = lease;
    const { store, clock } = this.options;
    const nowMs = clock.now();
    // One that is still good, and was to be refreshed early, must not be worse off for that.
    const isOver = stale !== null && nowMs >= stale.freshUntilMs;
    if (head !== null && isOver && policy.failSafeMs > 0 && !isAnswer(error)) {
      await store.settleRefresh(entry, head, marker, { kind: 'prolonged', nowMs, serveMs: policy.throttleMs });
      return;
    }
    const backoffMs = isAnswer(error) ? 0 : policy.backoffMs;
    const mark = writeFailure(id, nowMs + backoffMs);
    if (backoffMs > 0) this.#remember(id, error);
    if (head === null) await this.#settleEntry(lease, backoffMs > 0 ? mark : '', backoffMs);
    else await store.settleRefresh(entry, head, marker, { kind: 'failure', mark, backoffMs });
  }

  #remember(id: string, error: unknown): void {
    this.#failures.set(id, error);
    const oldest = this.#failures.keys().next();
    if (this.#failures.size > MOST_FAILURES && oldest.done !== true) this.#failures.delete(oldest.value);
  }

  /** What becomes of the lease is awaited by no caller, only by shutdown. */
  #settle(lease: Lease, work: () => Promise<void>): void {
    const settling = work()
      .catch((error: unknown) =>
        this.options.onLost([lease.head === null ? lease.entry : refreshLeaseKey(lease.entry)], error),
      )
      .finally(() => {
        this.#settling.delete(settling);
        this.#leased.delete(lease.id);
        this.#keeper.release(lease);
      });
    this.#settling.set(settling, lease);
  }
}

const UNWANTED = new Lifetime(0, 0);

function ignoreSinceTheStoringTells(): void {
  // Without tokens the value is not stored, and that is counted there.
}

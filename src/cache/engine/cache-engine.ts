import type { Codec } from '../../core/codec/codec.js';
import { DecodeError } from '../../core/codec/codec.errors.js';
import { isStoreError } from '../store/is-store-error.js';
import type { Clock } from '../../core/time/clock.js';
import type { CacheCounters } from '../cache-counters.js';
import type { Deferred } from '../deferred.js';
import { readHeld, type StoredValue } from '../entry/entry-format.js';
import type { MemoryTier } from '../memory/memory-tier.js';
import type { PendingRead } from '../memory/pending-reads.js';
import type { Claimed, EntryStore } from '../store/entry-store.js';
import type { KnownTag } from '../tags/known-tag.js';
import type { AskedTags } from '../tags/tag-peeks.js';
import type { Unconfirmed } from '../unconfirmed.js';
import { Answer, Answers } from './answers.js';
import { Contention } from './contention.js';
import { freshnessOf, isDueEarly } from './freshness.js';
import type { Lease } from './lease.js';
import { Leases } from './leases.js';
import type { Loads } from './loads.js';
import { AGAIN, Found, WITHOUT_STORE, type Look } from './look.js';
import { Refreshes } from './refreshes.js';
import type { LoadRequest, TagSpace } from './request.js';
import type { RunningLoad } from './running-load.js';
import type { TagCheck } from './tag-check.js';

/** What a {@link CacheEngine} is made of. */
export interface CacheEngineOptions {
  readonly name: string;
  readonly store: EntryStore;
  readonly memory: MemoryTier | null;
  readonly tagCheck: TagCheck;
  readonly loads: Loads;
  /** Entries whose eviction has not been confirmed: they are not to be read. */
  readonly deferred: Deferred;
  /** Evictions that are about to be confirmed. */
  readonly evictions: Unconfirmed;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly counters: CacheCounters;
  /** Something was not read because the store could not. */
  readonly onStoreError: (error: unknown) => void;
}

/** One read of an entry that takes its lease when it is absent. */
interface Reading {
  readonly lease: Lease;
  readonly read: PendingRead | null;
  /** This process's eviction of the entry that was not confirmed when the read was sent. */
  readonly eviction: number | undefined;
}

/** After so many changes between one look and the next, a caller loads for itself. */
const MOST_ROUNDS = 8;

/**
 * Finds values, and has them loaded when there are none: once, whoever asks at the same time, in this process or another.
 *
 * A look takes the entry's lease when there is nothing, in the same step. Whoever has it loads; the others in the process join that load, those in
 * other processes are woken when it has ended, or look again when its lease has.
 */
export class CacheEngine {
  readonly #leases: Leases;
  readonly #contention: Contention;
  readonly #refreshes: Refreshes;
  readonly #answers: Answers;

  constructor(private readonly options: CacheEngineOptions) {
    this.#leases = new Leases(options.loads);
    this.#contention = new Contention(options.store, options.codec);
    const onStoreError = (error: unknown): void => this.#noteStoreError(error);
    this.#refreshes = new Refreshes({ ...options, leases: this.#leases, onStoreError });
    this.#answers = new Answers({ ...options, onStoreError });
  }

  /** The value, found or loaded. Rejects as the loader does, with `CacheLoadError` while a failure is backed off, or with `CacheTimeoutError`. */
  async fetch(request: LoadRequest): Promise<Answer> {
    const sinceMs = performance.now();
    let hasWaited = false;
    for (let round = 0; ;) {
      const look = round < MOST_ROUNDS ? await this.#look(request) : WITHOUT_STORE;
      if (look.kind === 'found') return new Answer(look.value, !hasWaited, look.isStale);
      const answer = await this.#answers.to(request, look, sinceMs);
      if (answer !== null) return answer;
      if (look.kind === 'theirs') hasWaited = true;
      else round += 1;
    }
  }

  /** The value if it is there and fresh, without loading it. */
  async find(entry: string, space: TagSpace, tags: readonly string[]): Promise<{ readonly value: unknown } | null> {
    const { store, memory, tagCheck, deferred, evictions, codec, counters, clock } = this.options;
    if (deferred.has(entry)) return null;
    const eviction = evictions.of(entry);
    const read = memory?.expect(entry) ?? null;
    try {
      const [bytes, asked] = await Promise.all([store.read(entry), tagCheck.ask(space, tags, false)]);
      const held = bytes === null ? null : readHeld(codec, bytes);
      if (held?.kind === 'unreadable') counters.unreadable += 1;
      if (held?.kind === 'lease') return await this.#justLoaded(held.id, space, eviction);
      if (held?.kind !== 'value' || clock.now() >= held.freshUntilMs) return null;
      if (eviction !== undefined) return null;
      const known = await tagCheck.check(space, held.tags, asked);
      if (known === null) {
        counters.deadByTag += 1;
        return null;
      }
      return { value: this.#hand(held, read, known) };
    } catch (error) {
      if (error instanceof DecodeError) counters.unreadable += 1;
      else this.#noteStoreError(error);
      return null;
    } finally {
      if (read !== null) memory?.drop(read);
    }
  }

  /** What this process has loaded, and what is on its way to the store. */
  async #justLoaded(
    leaseId: string,
    space: TagSpace,
    eviction: number | undefined,
  ): Promise<{ readonly value: unknown } | null> {
    const load = this.options.loads.under(leaseId);
    if (load?.isDone !== true || isFromBefore(load, eviction)) return null;
    const loaded = await load.result.catch(() => null);
    if (loaded === null || !loaded.isKept) return null;
    return (await this.#answers.isStillGood(space, loaded.tags)) ? { value: loaded.hand() } : null;
  }

  /** For what may be from before this process's own eviction, which was sent first, and may not have been confirmed yet all the same. */
  #afterOwn(entry: string, eviction: number): Look {
    return this.options.evictions.of(entry) === eviction ? WITHOUT_STORE : AGAIN;
  }

  /** What was loaded for the entry while the store was away is no longer shared with new callers. */
  forget(entry: string): void {
    this.#answers.forget(entry);
  }

  /** The same for all entries. */
  forgetAll(): void {
    this.#answers.forgetAll();
  }

  /** A hit in memory on a value that is due for an early refresh starts one. */
  refreshEarly(request: LoadRequest, stored: StoredValue): void {
    if (isDueEarly(stored, request.policy, this.options.clock.now(), Math.random))
      this.#refreshes.inBackground(request, stored);
  }

  /** Nobody waits for other processes any more: for shutdown. */
  stop(): void {
    this.#answers.stop();
    this.#contention.wake(null, null);
  }

  async #look(request: LoadRequest): Promise<Look> {
    const { store, memory, tagCheck, deferred, evictions, leaseMs, loads } = this.options;
    const { entry, space } = request;
    if (deferred.has(entry)) return WITHOUT_STORE;
    const lease = this.#leases.next(entry, null);
    const read = memory?.expect(entry) ?? null;
    const reading: Reading = { lease, read, eviction: evictions.of(entry) };
    let isClaiming = true;
    this.#leases.asks(lease);
    try {
      const hint = memory?.peek(entry)?.stored.tags;
      const keys = hint === undefined ? request.tags : withHint(request, hint);
      // The entry first: tokens from after it tell for certain whether it is good.
      const claiming = store.claim(entry, lease.marker, leaseMs);
      const asking = tagCheck.ask(space, keys, request.tagsOf !== null);
      asking?.catch(() => claiming.then((held) => held === null && loads.giveBack(lease)).catch(ignore));
      const held = await claiming;
      isClaiming = false;
      const asked = asking === undefined ? undefined : await asking;
      // Most looks end here, without another promise.
      const look = this.#interpret(request, held, reading, asked);
      return look instanceof Promise ? await look : look;
    } catch (error) {
      if (isClaiming) this.#leases.giveBackIfTaken(lease, error);
      this.#noteStoreError(error);
      return WITHOUT_STORE;
    } finally {
      this.#leases.knows(lease);
      if (read !== null) memory?.drop(read);
    }
  }

  #interpret(request: LoadRequest, bytes: Claimed, reading: Reading, asked?: AskedTags): Look | Promise<Look> {
    const { lease, eviction } = reading;
    // At once, so that whoever finds the lease finds the load too.
    if (bytes === null) return { kind: 'ours', load: this.options.loads.start(request, lease, null), stale: null };
    if (bytes === undefined) return WITHOUT_STORE;
    const held = readHeld(this.options.codec, bytes);
    // The command was sent twice, by a client that does so, and finds what it did the first time.
    if (held.kind === 'lease' && held.id === lease.id) return this.#interpret(request, null, reading, asked);
    if (held.kind === 'value') {
      return eviction === undefined
        ? this.#judge(request, held, reading.read, asked)
        : this.#afterOwn(request.entry, eviction);
    }
    if (held.kind === 'failure') return { ...held, kind: 'failed', stale: null };
    if (held.kind === 'lease') return this.#joinOrContend(request, held.id, reading, asked);
    this.options.counters.unreadable += 1;
    return this.#replace(request, held.head, null);
  }

  /** Somebody has the entry's lease: this process or another. */
  async #joinOrContend(
    request: LoadRequest,
    holder: string,
    reading: Reading,
    asked: AskedTags | undefined,
  ): Promise<Look> {
    await this.#leases.untilKnown(holder);
    const load = this.options.loads.under(holder);
    if (load === undefined) return this.#contend(request, holder, reading, asked);
    const { eviction } = reading;
    if (eviction !== undefined && isFromBefore(load, eviction)) return this.#afterOwn(request.entry, eviction);
    return { kind: 'joined', load, stale: null, asked };
  }

  #judge(
    request: LoadRequest,
    stored: StoredValue,
    read: PendingRead | null,
    asked: AskedTags | undefined,
  ): Look | Promise<Look> {
    const known = this.options.tagCheck.check(request.space, stored.tags, asked);
    if (known instanceof Promise) return known.then((tags) => this.#judgeTags(request, stored, read, tags));
    return this.#judgeTags(request, stored, read, known);
  }

  #judgeTags(
    request: LoadRequest,
    stored: StoredValue,
    read: PendingRead | null,
    known: readonly KnownTag[] | null,
  ): Look | Promise<Look> {
    if (known !== null) return this.#use(request, stored, read, known);
    this.options.counters.deadByTag += 1;
    return this.#replace(request, stored.head, null);
  }

  /** What a stored value may be used for, now that its tags are good. */
  #use(
    request: LoadRequest,
    stored: StoredValue,
    read: PendingRead | null,
    known: readonly KnownTag[],
  ): Look | Promise<Look> {
    const { counters, clock } = this.options;
    const nowMs = clock.now();
    const freshness = freshnessOf(stored, request.policy, nowMs);
    if (freshness === 'expired') return this.#replace(request, stored.head, null);
    if (freshness === 'fallback') return this.#replace(request, stored.head, stored);
    try {
      const value = this.#hand(stored, read, known);
      const isDue = freshness === 'revalidate' || isDueEarly(stored, request.policy, nowMs, Math.random);
      if (isDue) this.#refreshes.inBackground(request, stored);
      return new Found(value, freshness === 'revalidate' || stored.isProlonged);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      counters.unreadable += 1;
      return this.#replace(request, stored.head, null);
    }
  }

  /** Another process has the entry's lease. */
  async #contend(request: LoadRequest, holder: string, reading: Reading, asked: AskedTags | undefined): Promise<Look> {
    const { store, leaseMs } = this.options;
    const { entry } = request;
    const { lease } = reading;
    await this.#contention.listen();
    const waiter = this.#contention.add(entry);
    const theirs = (leftMs: number): Look => {
      return { kind: 'theirs', waiter, waitMs: this.#contention.waitMs(leftMs), holder, asked, stale: null };
    };
    try {
      const left = this.#contention.leftOf(entry, holder);
      const leftMs = left === undefined ? 0 : await left;
      if (leftMs > 0) return theirs(leftMs);
      const asking = this.#leases.orGiveBack(lease, store.wait(entry, lease.marker, leaseMs));
      this.#contention.note(entry, holder, asking);
      const { waitMs, held } = await asking;
      if (waitMs > 0) return theirs(waitMs);
      waiter.cancel();
      return await this.#interpret(request, held, reading);
    } catch (error) {
      waiter.cancel();
      throw error;
    }
  }

  /** The entry is there but not good enough: it is to be replaced, by us if nobody else does. */
  async #replace(request: LoadRequest, head: string | Buffer, stale: StoredValue | null): Promise<Look> {
    const { store, codec, leaseMs } = this.options;
    const { entry } = request;
    await this.#contention.listen();
    const lease = this.#leases.next(entry, head);
    const waiter = this.#contention.add(entry);
    try {
      const claim = await this.#leases.orGiveBack(lease, store.claimRefresh(entry, head, lease.marker, leaseMs, true));
      if (claim.kind === 'theirs') {
        const load = this.#refreshes.running(entry, head);
        if (load === null) {
          const waitMs = this.#contention.waitMs(claim.waitMs);
          return { kind: 'theirs', waiter, waitMs, holder: null, asked: undefined, stale };
        }
        waiter.cancel();
        return { kind: 'joined', load, stale, asked: undefined };
      }
      waiter.cancel();
      if (claim.kind === 'ours') return { kind: 'ours', load: this.#refreshes.start(request, lease, stale), stale };
      const mark = claim.kind === 'failed' ? readHeld(codec, claim.mark) : null;
      return mark?.kind === 'failure' ? { ...mark, kind: 'failed', stale } : AGAIN;
    } catch (error) {
      waiter.cancel();
      this.#noteStoreError(error);
      return { kind: 'storeless', stale };
    }
  }

  #hand(stored: StoredValue, read: PendingRead | null, known: readonly KnownTag[]): unknown {
    const { memory, codec } = this.options;
    if (memory === null || read === null) return stored.decode(codec);
    return memory.keep(read, stored, known).value();
  }

  /** The cache goes on without the store; what is wrong in the program is not its business. */
  #noteStoreError(error: unknown): void {
    if (!isStoreError(error)) throw error;
    this.options.counters.readsWithoutRedis += 1;
    this.options.onStoreError(error);
  }
}

function withHint(request: LoadRequest, hint: StoredValue['tags']): readonly string[] {
  return [...new Set([...request.tags, ...hint.map(({ tag }) => request.space.prefix + tag)])];
}

function isFromBefore({ beginning }: RunningLoad, eviction: number | undefined): boolean {
  return eviction !== undefined && beginning.evictions < eviction;
}

function ignore(): void {
  // What failed has been counted where it failed.
}

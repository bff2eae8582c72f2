import type { Codec } from '../../core/codec/codec.js';
import { DecodeError } from '../../core/codec/codec.errors.js';
import type { Clock } from '../../core/time/clock.js';
import type { CacheCounters } from '../cache-counters.js';
import { CacheLoadError, CacheTimeoutError } from '../cache.errors.js';
import type { StoredValue } from '../entry/entry-format.js';
import type { MemoryTier } from '../memory/memory-tier.js';
import type { AskedTags } from '../tags/tag-peeks.js';
import { freshnessOf } from './freshness.js';
import { isAnswer } from './is-answer.js';
import type { Loads } from './loads.js';
import type { Look } from './look.js';
import type { LoadRequest, TagSpace } from './request.js';
import type { Loaded, RunningLoad } from './running-load.js';
import type { TagCheck } from './tag-check.js';
import { within } from './time-limits.js';

/** A value, and whether it was there or had to be loaded. */
export class Answer {
  constructor(
    readonly value: unknown,
    readonly isHit: boolean,
    readonly isStale: boolean,
  ) {}
}

/** What {@link Answers} are made of. */
export interface AnswersOptions {
  readonly name: string;
  readonly memory: MemoryTier | null;
  readonly tagCheck: TagCheck;
  readonly loads: Loads;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly counters: CacheCounters;
  /** Rethrows what is no error of the store. */
  readonly onStoreError: (error: unknown) => void;
}

/** Makes answers of looks that did not find the value: waits for whoever loads it, within the caller's limits. */
export class Answers {
  /** Loads while the store is away, by entry. */
  readonly #storeless = new Map<string, RunningLoad>();
  #isStopped = false;

  constructor(private readonly options: AnswersOptions) {}

  /** Does what a look calls for. Rejects as the loader does. Null: look again. */
  async to(request: LoadRequest, look: Look, sinceMs: number): Promise<Answer | null> {
    switch (look.kind) {
      case 'found':
      case 'again':
        return null;
      case 'failed':
        return this.#despite(look.stale, this.#failure(look.id, look.untilMs));
      case 'theirs':
        request.onWait?.();
        if (!this.#isStopped) return this.#wait(request, look, sinceMs);
        look.waiter.cancel();
        return this.#await(request, this.#loadStoreless(request), look.stale, sinceMs);
      case 'joined':
        request.onWait?.();
        return this.#join(request, look, sinceMs);
      case 'ours':
        return this.#await(request, look.load, look.stale, sinceMs);
      case 'storeless':
        return this.#await(request, this.#loadStoreless(request), look.stale, sinceMs);
    }
  }

  /** What was loaded for the entry while the store was away is no longer shared with new callers. */
  forget(entry: string): void {
    this.#storeless.delete(entry);
  }

  /** The same for all entries. */
  forgetAll(): void {
    this.#storeless.clear();
  }

  /** Nobody waits for other processes any more. */
  stop(): void {
    this.#isStopped = true;
  }

  #loadStoreless(request: LoadRequest): RunningLoad {
    const { entry } = request;
    const shared = this.#storeless.get(entry);
    if (shared !== undefined && !this.options.loads.isOverdue(shared)) {
      request.onWait?.();
      return shared;
    }
    const load = this.options.loads.start(request, null, null);
    this.#storeless.set(entry, load);
    const ended = (): void => {
      if (this.#storeless.get(entry) === load) this.#storeless.delete(entry);
    };
    load.result.then(ended, ended);
    return load;
  }

  /** Waits for a load that this caller has begun, or shares while the store is away, within its limits. */
  async #await(request: LoadRequest, load: RunningLoad, stale: StoredValue | null, sinceMs: number): Promise<Answer> {
    let loaded: Loaded;
    try {
      loaded = await this.#inTime(load.result, request, stale, sinceMs);
    } catch (error) {
      return this.#despite(stale, error);
    }
    return new Answer(loaded.hand(), false, false);
  }

  /** Waits for a load that others in this process have begun, within the caller's limits. Null: look again. */
  async #join(
    request: LoadRequest,
    { load, stale, asked }: Extract<Look, { readonly kind: 'joined' }>,
    sinceMs: number,
  ): Promise<Answer | null> {
    // The value is there, only not in the store yet.
    const isHit = load.isDone;
    let loaded: Loaded | null;
    try {
      loaded = await this.#inTime(load.join(), request, stale, sinceMs);
    } catch (error) {
      // What did not exist when the load began may exist by now.
      const isOld = isAnswer(error) && !(await this.isStillGood(request.space, this.#before(request, load), asked));
      return isOld ? null : this.#despite(stale, error);
    }
    if (loaded === null) return null;
    // This caller came later than the load, and perhaps later than an invalidation.
    const isGood = await this.isStillGood(request.space, loaded.tags ?? this.#before(request, load), asked);
    return isGood ? new Answer(loaded.hand(), isHit, false) : null;
  }

  /** The work's result, or an error when it takes longer than the caller waits for it. */
  async #inTime<T>(work: Promise<T>, { policy }: LoadRequest, stale: StoredValue | null, sinceMs: number): Promise<T> {
    const { softTimeoutMs, hardTimeoutMs } = policy;
    const outcome = await within(work, sinceMs, stale === null ? null : softTimeoutMs, hardTimeoutMs);
    if (typeof outcome === 'string') throw new CacheTimeoutError(this.options.name, hardTimeoutMs ?? 0);
    return outcome.result;
  }

  /** The tags that are known of what the load did not find. */
  #before(request: LoadRequest, load: RunningLoad): Loaded['tags'] {
    return this.options.loads.tagsBefore(load, request);
  }

  /** Whether none of the tags has been invalidated since, as of the tokens that the caller asked for; false when the store cannot tell. */
  async isStillGood(space: TagSpace, tags: Loaded['tags'], asked?: AskedTags): Promise<boolean> {
    if (tags === undefined) return true;
    try {
      const tokens = await tags;
      return tokens !== null && (await this.options.tagCheck.check(space, tokens, asked)) !== null;
    } catch (error) {
      this.options.onStoreError(error);
      return false;
    }
  }

  /** Waits for another process, within the caller's limits. */
  async #wait(
    request: LoadRequest,
    { waiter, waitMs, holder, asked, stale }: Extract<Look, { readonly kind: 'theirs' }>,
    sinceMs: number,
  ): Promise<Answer | null> {
    this.options.counters.waits += 1;
    let told: StoredValue | null;
    try {
      told = await this.#inTime(waiter.until(waitMs), request, stale, sinceMs);
    } catch (error) {
      return this.#despite(stale, error);
    } finally {
      waiter.cancel();
    }
    return told === null || holder === null ? null : this.#takeTold(request, told, holder, asked);
  }

  /** What another process has stored under the very lease that we found, if it is good: then there is no need to read it. Null: look again. */
  async #takeTold(
    { space, policy }: LoadRequest,
    held: StoredValue,
    holder: string,
    asked: AskedTags | undefined,
  ): Promise<Answer | null> {
    const { tagCheck, clock } = this.options;
    // What comes late, from an earlier load, may have been invalidated before we looked.
    if (held.id !== holder) return null;
    if (freshnessOf(held, policy, clock.now()) !== 'fresh') return null;
    try {
      if ((await tagCheck.check(space, held.tags, asked)) === null) return null;
      return new Answer(this.#handOut(held), false, false);
    } catch (error) {
      if (!(error instanceof DecodeError)) this.options.onStoreError(error);
      return null;
    }
  }

  /** The stale value in spite of the error, or the error: an answer of the source is better than what it said before. */
  #despite(stale: StoredValue | null, error: unknown): Answer {
    if (stale === null || isAnswer(error)) throw error;
    return new Answer(this.#handOut(stale), true, true);
  }

  /** For what is not kept in memory. */
  #handOut(stored: StoredValue): unknown {
    const { codec, memory } = this.options;
    const decode = (): unknown => stored.decode(codec);
    return memory === null ? decode() : memory.handing(decode)();
  }

  #failure(id: string, untilMs: number): unknown {
    const own = this.options.loads.failureOf(id);
    if (own !== undefined) return own.error;
    return new CacheLoadError(this.options.name, Math.max(1, untilMs - this.options.clock.now()));
  }
}

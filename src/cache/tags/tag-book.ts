import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/time/clock.js';
import type { Coherence } from '../memory/coherence.js';
import { PendingReads } from '../memory/pending-reads.js';
import type { EntryStore } from '../store/entry-store.js';
import { isFromBefore, LoadMark, stampOf, type KnownTag } from './known-tag.js';
import { TagPeeks, type AskedTags } from './tag-peeks.js';
import { Unconfirmed } from '../unconfirmed.js';

/** Tags that a process remembers at once; a forgotten one costs a read. */
const MOST_TAGS = 100_000;

/** Scopes whose clocks a process remembers at once. */
const MOST_CLOCKS = 10_000;

/** How long a token is kept at least: longer than any load under a lease may take. */
const SHORTEST_HOLD_MS = 60_000;

/** The last invalidation of any of a cache's tags, and when it was learnt of, in the order of the tag book. */
interface ClockReading {
  readonly clockUs: number;
  readonly order: number;
}

/** What a {@link TagBook} is made of. */
export interface TagBookOptions {
  readonly store: EntryStore;
  readonly clock: Clock;
  /** Whether changes of tokens are heard of. Null: they are not, and tokens are asked for with each entry. */
  readonly coherence: Coherence | null;
}

/**
 * The tokens of a cache's tags, as far as this process knows them.
 *
 * An entry is good while its tags have the tokens that it was stored with. So for reading, a token must be the present one: it is asked for, or kept
 * live by the changes that are heard of. For writing, any token will do that the tag had before the load began: if the tag has another by now, the
 * entry is dead on arrival, as it should be.
 */
export class TagBook {
  readonly #known = new LRUCache<string, KnownTag>({
    max: MOST_TAGS,
    // Its changes would no longer be noted.
    dispose: (tag) => (tag.isLive = false),
  });
  readonly #reads = new PendingReads();
  /** The latest reading of each clock. */
  readonly #clocks = new LRUCache<string, ClockReading>({ max: MOST_CLOCKS });
  readonly #peeks: TagPeeks;
  readonly #invalidations = new Unconfirmed();
  #order = 0;

  constructor(private readonly options: TagBookOptions) {
    this.#peeks = new TagPeeks(options.store, {
      begin: (tags) => this.#beginReads(tags),
      clock: (key, clockUs) => this.#learnClock(key, clockUs),
    });
  }

  /** The beginning of a load: tells what was known before from what is learnt later. */
  mark(clockKey: string): LoadMark {
    const reading = this.#clocks.get(clockKey);
    return new LoadMark(clockKey, this.#order, reading?.clockUs, reading?.order);
  }

  /** Whether the clock is known, as of the last invalidation that was heard of. */
  knowsClock(clockKey: string): boolean {
    return this.options.coherence?.live === true && this.#clocks.has(clockKey);
  }

  /** The token that is surely the present one, without asking. */
  live(tagKey: string): KnownTag | undefined {
    if (this.options.coherence?.live !== true) return undefined;
    const known = this.#known.get(tagKey);
    return known?.isLive === true ? known : undefined;
  }

  /** Whether nothing has been learnt of the tag since, and this process has not invalidated it either. */
  isCurrent(tagKey: string, tag: KnownTag): boolean {
    return this.#known.peek(tagKey) === tag;
  }

  /**
   * Asks for the tokens that are not live, as they are now, and for the clock. One round trip, shared with whoever asks in the same tick, whose tokens are among those
   * that it resolves with.
   */
  ask(clockKey: string, tagKeys: readonly string[]): Promise<AskedTags> {
    return this.#peeks.ask(
      clockKey,
      tagKeys.filter((key) => this.live(key) === undefined),
    );
  }

  /** Asks for tokens that may be out of date though no change was heard of: something was stored with newer ones. */
  askAgain(clockKey: string, tagKeys: readonly string[]): Promise<AskedTags> {
    for (const key of tagKeys) {
      const known = this.#known.peek(key);
      if (known !== undefined) known.isLive = false;
    }
    return this.#peeks.ask(clockKey, tagKeys);
  }

  /**
   * The tokens to store an entry with that was loaded since `mark` and lives for `ttlMs`, in the order of the tags. Null when one of the tags was
   * invalidated since, or may have been: then the value must not be stored.
   *
   * No round trip for tags that were known before the load, if nothing in the cache was invalidated between that and the load's beginning, else one.
   */
  async forEntry(mark: LoadMark, tagKeys: readonly string[], ttlMs: number): Promise<readonly string[] | null> {
    const certain = this.#certain(mark, tagKeys, this.options.clock.monotonicMs() + ttlMs);
    if (certain !== null) return certain;
    const holdMs = Math.max(2 * ttlMs, SHORTEST_HOLD_MS);
    const unknown = tagKeys.filter((key) => !this.#wasKnown(this.#known.get(key), mark));
    if (unknown.length > 0) await this.#read(mark.clockKey, unknown, holdMs);
    const known = tagKeys.map((key) => this.#known.get(key));
    const untilMs = this.options.clock.monotonicMs() + ttlMs;
    const short = tagKeys.filter((_, i) => (known[i]?.heldUntilMs ?? 0) < untilMs);
    // Not waited for: should it fail, the tokens die before the entry, and the entry with them.
    if (short.length > 0) this.#read(mark.clockKey, short, holdMs).catch(() => undefined);
    const isCertain = known.every((tag) => tag !== undefined && isFromBefore(tag, mark));
    return isCertain ? known.map((tag) => (tag as KnownTag).token) : null;
  }

  /** The tokens, when all were known before the load and are kept for long enough: as a rule. */
  #certain(mark: LoadMark, tagKeys: readonly string[], untilMs: number): readonly string[] | null {
    const tokens: string[] = [];
    for (const key of tagKeys) {
      const known = this.#known.get(key);
      if (!this.#wasKnown(known, mark) || known.heldUntilMs < untilMs) return null;
      tokens.push(known.token);
    }
    return tokens;
  }

  /** Whether the tag had this token when the load began, as far as anybody had told. An older one would do no harm, but the value would be dead on arrival. */
  #wasKnown(known: KnownTag | undefined, { order, clockOrder }: LoadMark): known is KnownTag {
    return known !== undefined && known.order <= order && (known.isLive || known.confirmed >= clockOrder);
  }

  /**
   * The tokens to store a value with that is written now, and lives for `ttlMs`: those of this moment, since what was invalidated elsewhere a moment ago may not be
   * known here yet. One round trip.
   */
  async forWrite(clockKey: string, tagKeys: readonly string[], ttlMs: number): Promise<readonly string[]> {
    return this.#read(clockKey, tagKeys, Math.max(2 * ttlMs, SHORTEST_HOLD_MS));
  }

  /** The tags' clock as it is now: what {@link forWriteSince} needs. One round trip, shared with whoever asks in the same tick. */
  async clock(clockKey: string): Promise<number> {
    await this.#peeks.ask(clockKey, []);
    return this.#clocks.get(clockKey)?.clockUs ?? 0;
  }

  /** As {@link forWrite}, for a value that may be as old as that reading of the clock. Null when one of the tags was invalidated since: then it must not be stored. */
  async forWriteSince(
    clockUs: number,
    clockKey: string,
    tagKeys: readonly string[],
    ttlMs: number,
  ): Promise<readonly string[] | null> {
    const tokens = await this.forWrite(clockKey, tagKeys, ttlMs);
    return tokens.every((token) => (stampOf(token) ?? 0) <= clockUs) ? tokens : null;
  }

  /** Gives the tags new tokens. From this call on, this process trusts none from before. */
  async invalidate(clockKey: string, tagKeys: readonly string[], holdMs: number): Promise<void> {
    this.distrust(tagKeys);
    const keys = { clock: clockKey, tags: tagKeys };
    const token = await this.#invalidations.during(tagKeys, async () => {
      const issued = await this.options.store.invalidateTags(keys, Math.max(holdMs, SHORTEST_HOLD_MS));
      this.distrust(tagKeys);
      return issued;
    });
    this.#learnClock(clockKey, stampOf(token) ?? 0);
  }

  /** Whether this process is invalidating the tag. */
  isChanging(tagKey: string): boolean {
    return this.#invalidations.of(tagKey) !== undefined;
  }

  /** Forgets the tags' tokens, and what is on its way from before. */
  distrust(tagKeys: readonly string[]): void {
    for (const key of tagKeys) {
      this.#reads.changed(key);
      this.#known.delete(key);
    }
  }

  /** A key has changed, which may be a tag's: its token may be another, or have been kept for longer. */
  changed(key: string): void {
    this.#reads.changed(key);
    this.#clocks.delete(key);
    const known = this.#known.peek(key);
    if (known !== undefined) known.isLive = false;
  }

  /** Anything may have changed. */
  clear(): void {
    this.#reads.changedAll();
    for (const known of this.#known.values()) known.isLive = false;
  }

  async #read(clock: string, tags: readonly string[], holdMs: number): Promise<readonly string[]> {
    const reads = tags.map((key) => this.#reads.begin(key));
    const heldUntilMs = this.options.clock.monotonicMs() + (holdMs * 3) / 4;
    try {
      const { clockUs, tokens } = await this.options.store.readTags({ clock, tags }, holdMs);
      // The clock first: the tokens are as of its reading.
      this.#learnClock(clock, clockUs);
      tags.forEach((key, i) => this.#learn(key, tokens[i], reads[i]?.isStale === false, heldUntilMs));
      return tokens;
    } finally {
      for (const read of reads) this.#reads.end(read);
    }
  }

  /** What is asked for now may be overtaken by a change. Returns how to learn the answer. */
  #beginReads(keys: readonly string[]): (tokens: readonly (string | undefined)[] | null) => AskedTags {
    const reads = keys.map((key) => this.#reads.begin(key));
    return (tokens) => {
      const learnt = new Map<string, KnownTag | undefined>();
      reads.forEach((read, i) => {
        const known = tokens === null ? undefined : this.#learn(read.key, tokens[i], !read.isStale, 0);
        // What was overtaken is asked for again.
        if (tokens !== null && !read.isStale) learnt.set(read.key, known);
        this.#reads.end(read);
      });
      return learnt;
    };
  }

  #learn(key: string, token: string | undefined, isFresh: boolean, heldUntilMs: number): KnownTag | undefined {
    if (token === undefined) {
      this.#known.delete(key);
      return undefined;
    }
    const isLive = isFresh && this.options.coherence?.live === true;
    const before = this.#known.peek(key);
    if (before?.token === token) {
      // The copies that rest on it are good again: the tag still has, or has again been found to have, the same token.
      before.isLive = isLive;
      before.heldUntilMs = Math.max(before.heldUntilMs, heldUntilMs);
      before.confirmed = this.#order;
      return before;
    }
    this.#order += 1;
    const known: KnownTag = { token, order: this.#order, confirmed: this.#order, heldUntilMs, isLive };
    this.#known.set(key, known);
    return known;
  }

  #learnClock(clockKey: string, clockUs: number): void {
    if (clockUs <= (this.#clocks.get(clockKey)?.clockUs ?? -1)) return;
    this.#order += 1;
    this.#clocks.set(clockKey, { clockUs, order: this.#order });
  }
}

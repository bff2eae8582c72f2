import type { StoredValue } from '../entry/entry-format.js';
import type { KnownTag } from '../tags/known-tag.js';
import type { TagBook } from '../tags/tag-book.js';
import type { Deferred } from '../deferred.js';
import type { TagSpace } from './request.js';

/** Tokens that were asked for together with an entry, by key. */
export type AskedTags = ReadonlyMap<string, KnownTag | undefined>;

const NO_TAGS: readonly KnownTag[] = [];
const NONE_ASKED: AskedTags = new Map();

/** Holds the tokens in entries against the tags' present ones. */
export class TagCheck {
  constructor(
    private readonly tags: TagBook,
    private readonly deferred: Deferred,
  ) {}

  /** Asks for tokens while the entry itself is being read, so that both come in one trip. Undefined when there is nothing to ask. */
  ask(space: TagSpace, keys: readonly string[], wantsClock: boolean): Promise<AskedTags> | undefined {
    const isKnown = !wantsClock || this.tags.knowsClock(space.clockKey);
    if (isKnown && keys.every((key) => this.tags.live(key) !== undefined)) return undefined;
    return this.#ask(space, keys);
  }

  /** The entry's tags when all of them are as they were when it was loaded, else null. One round trip for those that are neither live nor asked for. */
  async check(
    space: TagSpace,
    stored: StoredValue,
    asked: AskedTags = NONE_ASKED,
  ): Promise<readonly KnownTag[] | null> {
    if (stored.tags.length === 0) return NO_TAGS;
    return this.matches(space, stored.tags, asked);
  }

  /** The same for a list of tags and tokens. */
  async matches(
    space: TagSpace,
    tags: StoredValue['tags'],
    asked: AskedTags = NONE_ASKED,
  ): Promise<readonly KnownTag[] | null> {
    const keys = tags.map(({ tag }) => space.prefix + tag);
    if (keys.some((key) => this.deferred.has(key))) return null;
    const missing = keys.filter((key) => !asked.has(key) && this.tags.live(key) === undefined);
    const also = missing.length === 0 ? NONE_ASKED : await this.#ask(space, missing);
    const known = keys.map((key) => this.tags.live(key) ?? asked.get(key) ?? also.get(key));
    const isGood = known.every((tag, i) => tag?.token === tags[i]?.token);
    return isGood ? (known as readonly KnownTag[]) : null;
  }

  async #ask(space: TagSpace, keys: readonly string[]): Promise<AskedTags> {
    const known = await this.tags.current(space.clockKey, keys);
    return new Map(keys.map((key, i) => [key, known[i]]));
  }
}

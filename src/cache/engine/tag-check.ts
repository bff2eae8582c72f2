import type { Deferred } from '../deferred.js';
import type { TagToken } from '../entry/entry-format.js';
import type { KnownTag } from '../tags/known-tag.js';
import type { TagBook } from '../tags/tag-book.js';
import type { AskedTags } from '../tags/tag-peeks.js';
import type { TagSpace } from './request.js';

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
    return this.tags.ask(space.clockKey, keys);
  }

  /**
   * The entry's tags when all of them are as they were when it was loaded, else null. At once when they are live or among those that were asked for; else after a
   * round trip.
   */
  check(
    space: TagSpace,
    tags: readonly TagToken[],
    asked: AskedTags = NONE_ASKED,
  ): readonly KnownTag[] | null | Promise<readonly KnownTag[] | null> {
    const known: KnownTag[] = [];
    for (const { tag, token } of tags) {
      const key = space.prefix + tag;
      if (this.deferred.has(key) || this.tags.isChanging(key)) return null;
      const found = this.#answer(key, asked);
      if (found === null) return this.#askAndCheck(space, tags, asked);
      if (found?.token !== token) return null;
      known.push(found);
    }
    return known;
  }

  async #askAndCheck(
    space: TagSpace,
    tags: readonly TagToken[],
    asked: AskedTags,
  ): Promise<readonly KnownTag[] | null> {
    const keys = tags.map(({ tag }) => space.prefix + tag).filter((key) => this.#answer(key, asked) === null);
    const also = await this.tags.ask(space.clockKey, keys);
    // What was live when it was asked about may no longer be: then it counts as changed.
    const all = new Map([...asked, ...keys.map((key) => [key, undefined] as const), ...also]);
    return this.check(space, tags, all);
  }
  /** What is known of the tag; null when it has to be asked for, be it again: when it was asked for, this process may not have invalidated it yet. */
  #answer(key: string, asked: AskedTags): KnownTag | undefined | null {
    const found = this.tags.live(key) ?? asked.get(key);
    if (found === undefined) return asked.has(key) ? undefined : null;
    return this.tags.isCurrent(key, found) ? found : null;
  }
}

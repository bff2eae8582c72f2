import type { Deferred } from '../deferred.js';
import type { TagToken } from '../entry/entry-format.js';
import { isIssuedLater, type KnownTag } from '../tags/known-tag.js';
import type { TagBook } from '../tags/tag-book.js';
import type { AskedTags } from '../tags/tag-peeks.js';
import type { TagSpace } from './request.js';

const NONE_ASKED: AskedTags = new Map();

/** A tag whose answers are overtaken by changes time and again counts as changed. */
const MOST_ASKS = 3;

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
   * round trip. What was asked for may be older than the entry, which was stored meanwhile: an entry is never given up for that.
   */
  check(
    space: TagSpace,
    tags: readonly TagToken[],
    asked: AskedTags = NONE_ASKED,
  ): readonly KnownTag[] | null | Promise<readonly KnownTag[] | null> {
    const known: KnownTag[] = [];
    for (const { tag, token } of tags) {
      const found = this.#compare(space.prefix + tag, token, asked, false);
      if (found === null) return null;
      if (found === undefined) return this.#askAndCheck(space, tags, asked);
      known.push(found);
    }
    return known;
  }

  async #askAndCheck(
    space: TagSpace,
    tags: readonly TagToken[],
    asked: AskedTags,
  ): Promise<readonly KnownTag[] | null> {
    let answers = asked;
    for (let asks = 0; asks <= MOST_ASKS; asks++) {
      const found = tags.map(({ tag, token }) => this.#compare(space.prefix + tag, token, answers, asks > 0));
      if (found.includes(null)) return null;
      const known = found.filter((tag) => tag !== undefined && tag !== null);
      if (known.length === tags.length) return known;
      if (asks === MOST_ASKS) break;
      const keys = tags.filter((_, i) => found[i] === undefined).map(({ tag }) => space.prefix + tag);
      answers = new Map([...answers, ...(await this.tags.askAgain(space.clockKey, keys))]);
    }
    return null;
  }

  /**
   * The tag when it has the token, null when it has another by now, undefined when it has to be asked for, be it again: what was asked for may be from before the
   * entry was stored, unless `isSince`, or from before this process invalidated the tag.
   */
  #compare(key: string, token: string, asked: AskedTags, isSince: boolean): KnownTag | null | undefined {
    if (this.deferred.has(key) || this.tags.isChanging(key)) return null;
    const found = this.tags.live(key) ?? asked.get(key);
    if (found === undefined) return isSince && asked.has(key) ? null : undefined;
    if (!this.tags.isCurrent(key, found)) return undefined;
    if (found.token === token) return found;
    return isSince || isIssuedLater(found.token, token) ? null : undefined;
  }
}

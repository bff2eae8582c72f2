import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/index.js';
import { newCacheCounters } from '../cache-counters.js';
import { Deferred } from '../deferred.js';
import type { TagToken } from '../entry/entry-format.js';
import { MemoryStore } from '../store/memory-store.js';
import type { KnownTag } from '../tags/known-tag.js';
import { TagBook } from '../tags/tag-book.js';
import { TagCheck } from './tag-check.js';

const PREFIX = 'app:cache:products:{products}:tag:';
const SPACE = { clockKey: 'app:cache:products:tags:{products}', prefix: PREFIX };
const KEYS = [`${PREFIX}a`];
const HOUR_MS = 3_600_000;

/** Counts questions, and can have something happen between a reply and its arrival. */
class WatchedStore extends MemoryStore {
  asked = 0;
  onTheWay: () => Promise<unknown> = async () => undefined;

  override async peekTags(tags: readonly string[]): Promise<readonly (string | undefined)[]> {
    this.asked += 1;
    const found = await super.peekTags(tags);
    await this.onTheWay();
    return found;
  }
}

describe('TagCheck', () => {
  let clock: FakeClock;
  let store: WatchedStore;
  /** Whether this process hears of changes yet. */
  let hears: boolean;

  beforeEach(() => {
    clock = new FakeClock();
    store = new WatchedStore(clock);
    hears = true;
  });

  function open(isCoherent: boolean): TagCheck {
    const coherence = isCoherent ? { live: true, epoch: 0, onEpoch: () => () => undefined } : null;
    const tags = new TagBook({ store, clock, coherence });
    store.onChange((key) => hears && tags.changed(key));
    return new TagCheck(tags, new Deferred(async () => undefined, newCacheCounters()));
  }

  /** Another process stores an entry with the tag, and these are the tokens in it. */
  const storedElsewhere = async (): Promise<readonly TagToken[]> => {
    const { tokens } = await store.readTags({ clock: SPACE.clockKey, tags: KEYS }, HOUR_MS);
    return tokens.map((token) => ({ tag: 'a', token }));
  };
  const invalidatedElsewhere = async (): Promise<string> => {
    await clock.advance('1ms');
    return store.invalidateTags({ clock: SPACE.clockKey, tags: KEYS }, HOUR_MS);
  };
  const isGood = (known: readonly KnownTag[] | null, entry: readonly TagToken[]): void =>
    expect(known?.map(({ token }) => token)).toEqual(entry.map(({ token }) => token));

  describe.each([true, false])('in a process that hears of changes %s', (isCoherent) => {
    it('does not give up an entry that was stored after the tokens were asked for', async () => {
      const check = open(isCoherent);
      const beforeFirst = await check.ask(SPACE, KEYS, false);
      const first = await storedElsewhere();
      isGood(await check.check(SPACE, first, beforeFirst), first);

      hears = false;
      const beforeSecond = await check.ask(SPACE, KEYS, false);
      await invalidatedElsewhere();
      const second = await storedElsewhere();
      isGood(await check.check(SPACE, second, beforeSecond), second);
    });

    it('gives up what an invalidation overtook, without asking again', async () => {
      const check = open(isCoherent);
      const old = await storedElsewhere();
      await invalidatedElsewhere();
      const asked = await check.ask(SPACE, KEYS, false);
      const questions = store.asked;
      expect(await check.check(SPACE, old, asked)).toBeNull();
      expect(store.asked).toBe(questions);
    });

    it('gives up what was invalidated while it asked again', async () => {
      const check = open(isCoherent);
      const before = await check.ask(SPACE, KEYS, false);
      const entry = await storedElsewhere();
      await invalidatedElsewhere();
      expect(await check.check(SPACE, entry, before)).toBeNull();
    });

    it('gives up an entry whose tag has no token any more', async () => {
      const check = open(isCoherent);
      const entry = await storedElsewhere();
      await clock.advance('2h');
      expect(await check.check(SPACE, entry, await check.ask(SPACE, KEYS, false))).toBeNull();
    });
  });

  it('asks again when a change overtook the answer, but not for ever', async () => {
    const check = open(true);
    const entry = await storedElsewhere();
    // Kept for longer: a change, though not of the token.
    let changes = 0;
    const change = async (): Promise<unknown> => {
      await clock.advance('1ms');
      changes += 1;
      return store.readTags({ clock: SPACE.clockKey, tags: KEYS }, 2 ** changes * HOUR_MS);
    };
    store.onTheWay = async () => changes < 1 && change();
    isGood(await check.check(SPACE, entry), entry);
    expect(store.asked).toBe(2);

    await invalidatedElsewhere();
    const anew = await storedElsewhere();
    store.onTheWay = change;
    expect(await check.check(SPACE, anew)).toBeNull();
  });
});

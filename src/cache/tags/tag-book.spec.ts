import { beforeEach, describe, expect, it } from '@jest/globals';
import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import { FakeClock, eventually } from '../../testing/index.js';
import type { Coherence } from '../memory/coherence.js';
import { MemoryStore } from '../store/memory-store.js';
import type { TagKeys, TagReading } from '../store/entry-store.js';
import type { KnownTag } from './known-tag.js';
import { TagBook } from './tag-book.js';

const CLOCK_KEY = 'app:cache:products:tags:{products}';
const [A, B] = [`${CLOCK_KEY}:tag:a`, `${CLOCK_KEY}:tag:b`];
const HOUR_MS = 3_600_000;

/** A store that counts its trips, can be away, and can be held up between a reply and its arrival. */
class WatchedStore extends MemoryStore {
  trips = 0;
  isAway = false;
  /** Called when the reply has been made, before it arrives. */
  onTheWay: () => void | Promise<void> = () => undefined;

  override async peekTags(tags: readonly string[]): Promise<readonly (string | undefined)[]> {
    return this.#travel(super.peekTags(tags));
  }

  override async readTags(keys: TagKeys, holdMs: number): Promise<TagReading> {
    return this.#travel(super.readTags(keys, holdMs));
  }

  override async invalidateTags(keys: TagKeys, holdMs: number): Promise<string> {
    // The way there takes a moment, too.
    await Promise.resolve();
    return super.invalidateTags(keys, holdMs);
  }

  async #travel<T>(reply: Promise<T>): Promise<T> {
    this.trips += 1;
    if (this.isAway) throw new RedisUnavailableError('not-connected', { connection: 'default', mayHaveRun: false });
    const made = await reply;
    const { onTheWay } = this;
    this.onTheWay = () => undefined;
    await onTheWay();
    return made;
  }
}

/** The tokens that it asks for, in the order of the keys. */
async function current(book: TagBook, clockKey: string, keys: readonly string[]): Promise<(KnownTag | undefined)[]> {
  const asked = await book.ask(clockKey, keys);
  return keys.map((key) => book.live(key) ?? asked.get(key));
}

describe('TagBook', () => {
  let clock: FakeClock;
  let store: WatchedStore;
  let hearing: Coherence & { live: boolean };
  /** With a memory tier: it hears of changes. */
  let book: TagBook;
  /** Without one. */
  let deaf: TagBook;

  beforeEach(() => {
    clock = new FakeClock();
    store = new WatchedStore(clock);
    hearing = { live: true, epoch: 0, onEpoch: () => () => undefined };
    book = new TagBook({ store, clock, coherence: hearing });
    deaf = new TagBook({ store, clock, coherence: null });
    store.onChange((key) => book.changed(key));
  });

  const tokenOf = async (key: string): Promise<string | undefined> => (await store.peekTags([key]))[0];
  const invalidatedElsewhere = (...tags: string[]): Promise<string> =>
    store.invalidateTags({ clock: CLOCK_KEY, tags }, HOUR_MS);
  const forEntry = async (from: TagBook, tags: readonly string[], meanwhile?: () => Promise<unknown>) => {
    const mark = from.mark(CLOCK_KEY);
    await meanwhile?.();
    return from.forEntry(mark, tags, HOUR_MS);
  };

  describe('for reading', () => {
    it('gives the present tokens in the order of the tags, undefined for a tag without one', async () => {
      await invalidatedElsewhere(B);
      const found = await current(book, CLOCK_KEY, [A, B]);
      expect(found.map((tag) => tag?.token)).toEqual([undefined, await tokenOf(B)]);
    });

    it('does not ask for a token again whose changes are heard of', async () => {
      await invalidatedElsewhere(A);
      await current(book, CLOCK_KEY, [A]);
      expect(book.live(A)?.token).toBe(await tokenOf(A));
      expect(book.live(B)).toBeUndefined();
    });

    it('asks each time where changes are not heard of', async () => {
      await invalidatedElsewhere(A);
      await current(deaf, CLOCK_KEY, [A]);
      expect(deaf.live(A)).toBeUndefined();
      await invalidatedElsewhere(A);
      expect((await current(deaf, CLOCK_KEY, [A]))[0]?.token).toBe(await tokenOf(A));
    });

    it('asks for what is not live, together with what is, and keeps the order', async () => {
      await invalidatedElsewhere(A);
      await invalidatedElsewhere(B);
      await current(book, CLOCK_KEY, [B]);
      const found = await current(book, CLOCK_KEY, [A, B, A]);
      expect(found.map((tag) => tag?.token)).toEqual([await tokenOf(A), await tokenOf(B), await tokenOf(A)]);
    });

    it('trusts a token no more once it has changed, nor once changes may have been missed', async () => {
      await invalidatedElsewhere(A);
      await current(book, CLOCK_KEY, [A]);
      const held = book.live(A);
      await invalidatedElsewhere(A);
      expect(book.live(A)).toBeUndefined();
      expect(held?.isLive).toBe(false);
      await current(book, CLOCK_KEY, [A]);
      expect(book.live(A)).toBeDefined();
      book.clear();
      expect(book.live(A)).toBeUndefined();
      await current(book, CLOCK_KEY, [A]);
      hearing.live = false;
      expect(book.live(A)).toBeUndefined();
    });

    it('does not keep a token live that changed while its reply was on the way', async () => {
      await invalidatedElsewhere(A);
      store.onTheWay = async () => void (await invalidatedElsewhere(A));
      const [found] = await current(book, CLOCK_KEY, [A]);
      expect(found?.token).not.toBe(await tokenOf(A));
      expect(book.live(A)).toBeUndefined();
    });

    it('makes copies that rest on a token good again when it is found to be the same', async () => {
      await invalidatedElsewhere(A);
      const [held] = await current(book, CLOCK_KEY, [A]);
      book.changed(A);
      expect(held?.isLive).toBe(false);
      await current(book, CLOCK_KEY, [A]);
      expect(held?.isLive).toBe(true);
    });

    it('never makes copies good again that rest on another token, or on one that is gone', async () => {
      await invalidatedElsewhere(A);
      const [held] = await current(book, CLOCK_KEY, [A]);
      await invalidatedElsewhere(A);
      await current(book, CLOCK_KEY, [A]);
      const [later] = await current(book, CLOCK_KEY, [A]);
      await clock.advance('2h');
      book.changed(A);
      await current(book, CLOCK_KEY, [A]);
      expect([held?.isLive, later?.isLive]).toEqual([false, false]);
    });
  });

  describe('for an entry that is to be stored', () => {
    it('gives every tag the token it has, and makes those that are missing', async () => {
      await invalidatedElsewhere(B);
      await current(book, CLOCK_KEY, []);
      const tokens = await forEntry(book, [A, B]);
      expect(tokens).toEqual([await tokenOf(A), await tokenOf(B)]);
      expect(tokens?.[0]).toMatch(/^c\d+$/);
    });

    it('takes no round trip for tags that were known before the load', async () => {
      await forEntry(book, [A, B]);
      store.trips = 0;
      const tokens = await forEntry(book, [B, A]);
      expect(store.trips).toBe(0);
      expect(tokens).toEqual([await tokenOf(B), await tokenOf(A)]);
    });

    it.each([
      ['with a memory tier', () => book],
      ['without one', () => deaf],
    ])('stores nothing that was loaded across an invalidation of a tag that was not known, %s', async (_name, of) => {
      await current(of(), CLOCK_KEY, []);
      expect(await forEntry(of(), [A], () => invalidatedElsewhere(A))).toBeNull();
    });

    it('stores nothing when it cannot tell, for lack of the clock, whether an invalidation came before the load', async () => {
      await invalidatedElsewhere(A);
      expect(await forEntry(deaf, [A])).toBeNull();
      expect(await forEntry(deaf, [A])).toEqual([await tokenOf(A)]);
    });

    it('lets what was loaded across an invalidation of a known tag be dead on arrival', async () => {
      const [before] = (await forEntry(deaf, [A])) ?? [];
      expect(await forEntry(deaf, [A], () => invalidatedElsewhere(A))).toEqual([before]);
      expect(before).not.toBe(await tokenOf(A));
    });

    it('stores what was loaded after an invalidation, when the clock was read by then', async () => {
      await invalidatedElsewhere(A);
      await current(deaf, CLOCK_KEY, []);
      expect(await forEntry(deaf, [A])).toEqual([await tokenOf(A)]);
    });

    it.each([
      ['with a memory tier', () => book],
      ['without one', () => deaf],
    ])(
      'asks again, before the value is dead on arrival, for what may have been invalidated before the load, %s',
      async (_name, of) => {
        await forEntry(of(), [A]);
        await invalidatedElsewhere(A);
        await current(of(), CLOCK_KEY, []);
        expect(await forEntry(of(), [A])).toEqual([await tokenOf(A)]);
      },
    );

    it('asks once for each tag after an invalidation of another', async () => {
      await forEntry(deaf, [A]);
      await invalidatedElsewhere(B);
      for (const trips of [1, 0]) {
        await current(deaf, CLOCK_KEY, []);
        store.trips = 0;
        await forEntry(deaf, [A]);
        expect(store.trips).toBe(trips);
      }
    });

    it('does not ask again for what is live, whatever else is invalidated', async () => {
      await forEntry(book, [A]);
      await current(book, CLOCK_KEY, [A]);
      await invalidatedElsewhere(B);
      await current(book, CLOCK_KEY, []);
      store.trips = 0;
      await forEntry(book, [A]);
      expect(store.trips).toBe(0);
    });

    it('stores nothing when only one of its tags is uncertain', async () => {
      await forEntry(deaf, [A]);
      expect(await forEntry(deaf, [A, B], () => invalidatedElsewhere(B))).toBeNull();
    });

    it('keeps tokens for longer than the entry, so that it does not die by their end', async () => {
      const tokens = await forEntry(deaf, [A]);
      await clock.advance('1h');
      expect([await tokenOf(A)]).toEqual(tokens);
    });

    it('has tokens kept for longer, without waiting for it, when the entry would outlive them', async () => {
      const tokens = await forEntry(deaf, [A]);
      await clock.advance('50m');
      await forEntry(deaf, [A]);
      await clock.advance('59m');
      expect([await tokenOf(A)]).toEqual(tokens);
    });

    it('leaves the copies good that rest on a token which is kept for long enough as it is', async () => {
      await invalidatedElsewhere(A);
      const [held] = await current(book, CLOCK_KEY, [A]);
      await book.forEntry(book.mark(CLOCK_KEY), [A], HOUR_MS / 4);
      await eventually(() => expect(held?.heldUntilMs).toBeGreaterThan(0));
      expect(held?.isLive).toBe(true);
    });

    it('gives a tag a token again whose token is gone', async () => {
      const before = await forEntry(deaf, [A]);
      await clock.advance('3h');
      expect(await current(deaf, CLOCK_KEY, [A])).toEqual([undefined]);
      const tokens = await forEntry(deaf, [A]);
      expect(tokens).not.toEqual(before);
      expect(tokens).toEqual([await tokenOf(A)]);
    });

    it('rejects as the store does where a token must be asked for', async () => {
      store.isAway = true;
      await expect(forEntry(deaf, [A])).rejects.toBeInstanceOf(RedisUnavailableError);
    });

    it('does without the store where all is known, also when tokens should be kept for longer', async () => {
      const tokens = await forEntry(deaf, [A]);
      await clock.advance('50m');
      store.isAway = true;
      expect(await forEntry(deaf, [A])).toEqual(tokens);
    });
  });

  describe('for a value that is written', () => {
    it('gives the tokens of this moment, whatever this process knew', async () => {
      await forEntry(deaf, [A]);
      await invalidatedElsewhere(A);
      expect(await deaf.forWrite(CLOCK_KEY, [A, B], HOUR_MS)).toEqual([await tokenOf(A), await tokenOf(B)]);
    });

    it('keeps them for longer than the value', async () => {
      const tokens = await deaf.forWrite(CLOCK_KEY, [A], HOUR_MS);
      await clock.advance('1h');
      expect([await tokenOf(A)]).toEqual(tokens);
    });
  });

  it('knows the clock while invalidations are heard of, as of the last one', async () => {
    expect(book.knowsClock(CLOCK_KEY)).toBe(false);
    await current(book, CLOCK_KEY, []);
    await current(deaf, CLOCK_KEY, []);
    expect([book.knowsClock(CLOCK_KEY), deaf.knowsClock(CLOCK_KEY)]).toEqual([true, false]);
    await invalidatedElsewhere(A);
    expect(book.knowsClock(CLOCK_KEY)).toBe(false);
  });

  describe('an invalidation by this process', () => {
    it('gives the tags a new token, the same for all', async () => {
      const before = await forEntry(book, [A, B]);
      await book.invalidate(CLOCK_KEY, [A, B], HOUR_MS);
      expect(await tokenOf(A)).toBe(await tokenOf(B));
      expect(before).not.toContain(await tokenOf(A));
    });

    it('counts from the call on: the old tokens are trusted no more, though the store has not been told', async () => {
      await invalidatedElsewhere(A);
      const [held] = await current(book, CLOCK_KEY, [A]);
      const invalidating = book.invalidate(CLOCK_KEY, [A], HOUR_MS);
      expect(book.live(A)).toBeUndefined();
      expect(held?.isLive).toBe(false);
      await invalidating;
      expect(held?.isLive).toBe(false);
    });

    it('does not let a reply from before it bring the old token back', async () => {
      await invalidatedElsewhere(A);
      store.onTheWay = () => book.invalidate(CLOCK_KEY, [A], HOUR_MS);
      await current(book, CLOCK_KEY, [A]);
      expect(book.live(A)).toBeUndefined();
    });

    it('lets a load that begins after it be stored without another trip for the clock', async () => {
      await deaf.invalidate(CLOCK_KEY, [A], HOUR_MS);
      expect(await forEntry(deaf, [A])).toEqual([await tokenOf(A)]);
    });

    it('keeps the new token for a minute at least, longer than a load may take under a lease', async () => {
      await deaf.invalidate(CLOCK_KEY, [A], 1);
      await clock.advance('59s');
      expect(await tokenOf(A)).toMatch(/^i/);
    });
  });

  it('finds copies dead that rest on a token which it can no longer follow, because there are too many tags', async () => {
    await invalidatedElsewhere(A);
    const [held] = await current(book, CLOCK_KEY, [A]);
    const many = Array.from({ length: 100_000 }, (_, i) => `${CLOCK_KEY}:tag:${i}`);
    await book.forEntry(book.mark(CLOCK_KEY), many, HOUR_MS);
    expect(held?.isLive).toBe(false);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EntryIds } from '../../../src/cache/entry/entry-id.js';
import { HEAD_LENGTH, LEASE, StoredValue, writeFailure, writeLease } from '../../../src/cache/entry/entry-format.js';
import type { EntryStore } from '../../../src/cache/store/entry-store.js';
import { eventually } from '../../../src/testing/index.js';

/** What the contract is held against. */
export interface StoreUnderTest {
  readonly store: EntryStore;
  /** The same entries, as another process sees them; the same store where there is no other process. */
  readonly other: EntryStore;
  /** Every key begins with it. */
  readonly prefix: string;
  close(): Promise<void>;
}

const LONG_MS = 60_000;
const SHORT_MS = 40;
/** Long enough to do something before it is over, short enough to wait for. */
const WHILE_MS = 1_000;

const ids = new EntryIds();
const newMarker = (): string => writeLease(ids.next());

/** A value as stores see it: a head that tells versions apart, flags, an end of freshness, and any bytes. */
function newValue(text = 'value'): Buffer {
  return Buffer.concat([Buffer.from(`\x02\x01${ids.next()}\x000000000000000${text}`), Buffer.from([0, 0xff, 13, 10])]);
}

const headOf = (value: Buffer): Buffer => value.subarray(0, HEAD_LENGTH);

/** The rules that every store of entries keeps. */
export function describeEntryStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`the entry store contract, for ${name}`, () => {
    let under: StoreUnderTest;
    let store: EntryStore;
    let other: EntryStore;
    let entry: string;

    beforeAll(async () => {
      under = await open();
      ({ store, other } = under);
    });
    afterAll(() => under.close());
    beforeEach(() => {
      entry = newEntry();
    });

    const newEntry = (): string => `${under.prefix}:{${randomUUID()}}`;
    const put = async (value = newValue(), ttlMs = LONG_MS): Promise<Buffer> => {
      await store.put([{ entry, bytes: value, ttlMs }]);
      return value;
    };
    const leased = async (leaseMs = LONG_MS): Promise<string> => {
      const marker = newMarker();
      expect(await store.claim(entry, marker, leaseMs)).toBeNull();
      return marker;
    };
    const refreshing = async (value: Buffer, leaseMs = LONG_MS): Promise<string> => {
      const marker = newMarker();
      expect(await store.claimRefresh(entry, headOf(value), marker, leaseMs, false)).toEqual({ kind: 'ours' });
      return marker;
    };
    const isGone = (): Promise<void> => eventually(async () => expect(await store.read(entry)).toBeNull());

    describe('claim', () => {
      it('takes the lease of what is absent, and gives it to nobody else', async () => {
        const marker = await leased();
        expect(await other.claim(entry, newMarker(), LONG_MS)).toEqual(Buffer.from(marker));
        expect(await store.claim(entry, newMarker(), LONG_MS)).toEqual(Buffer.from(marker));
      });

      it('finds what is there, byte by byte, and leaves it alone', async () => {
        const value = await put();
        expect(await other.claim(entry, newMarker(), SHORT_MS)).toEqual(value);
        expect(await store.read(entry)).toEqual(value);
      });

      it('finds text as the same bytes', async () => {
        await store.put([{ entry, bytes: 'Größe … \u{1F600}', ttlMs: LONG_MS }]);
        expect(await store.claim(entry, newMarker(), LONG_MS)).toEqual(Buffer.from('Größe … \u{1F600}'));
      });

      it('takes the lease again when it has ended: that of a dead holder passes on', async () => {
        await leased(SHORT_MS);
        const marker = newMarker();
        await eventually(async () => expect(await other.claim(entry, marker, LONG_MS)).toBeNull());
      });

      it('gives the lease to one of many who claim at once, and shows it to the others', async () => {
        const markers = Array.from({ length: 40 }, newMarker);
        const found = await Promise.all(
          markers.map((marker, i) => (i % 2 === 0 ? store : other).claim(entry, marker, LONG_MS)),
        );
        const winner = found.indexOf(null);
        expect(found.filter((held) => held === null)).toHaveLength(1);
        expect(new Set(found.filter((held) => held !== null).map(String))).toEqual(new Set([markers[winner]]));
      });

      it('answers each of many claims of one tick with its own entry', async () => {
        const entries = Array.from({ length: 200 }, newEntry);
        const values = entries.map((_, i) => (i % 2 === 0 ? newValue(`value ${i}`) : null));
        const there = entries.flatMap((own, i) => {
          const bytes = values[i] ?? null;
          return bytes === null ? [] : [{ entry: own, bytes, ttlMs: LONG_MS }];
        });
        await store.put(there);
        expect(await Promise.all(entries.map((own) => store.claim(own, newMarker(), LONG_MS)))).toEqual(values);
        const leases = await Promise.all(entries.map((own) => other.claim(own, newMarker(), LONG_MS)));
        expect(leases.map((held) => held?.[0])).toEqual(values.map((value) => (value === null ? LEASE : 2)));
      });
    });

    describe('read', () => {
      it('finds nothing where nothing is, and takes no lease', async () => {
        expect(await store.read(entry)).toBeNull();
        await leased();
      });

      it('answers each of many reads of one tick', async () => {
        const values = Array.from({ length: 100 }, (_, i) => ({
          entry: newEntry(),
          bytes: newValue(`${i}`),
          ttlMs: LONG_MS,
        }));
        await store.put(values);
        const found = await Promise.all(values.map((value) => other.read(value.entry)));
        expect(found).toEqual(values.map(({ bytes }) => bytes));
      });
    });

    describe('settle', () => {
      it('puts a value in the place of our lease, for its time', async () => {
        const value = newValue();
        expect(await store.settle(entry, await leased(), value, LONG_MS)).toBe(true);
        expect(await other.read(entry)).toEqual(value);
      });

      it('lets the value go when its time is over', async () => {
        await store.settle(entry, await leased(), newValue(), SHORT_MS);
        await isGone();
      });

      it('puts nothing in its place when there is nothing to keep', async () => {
        expect(await store.settle(entry, await leased(), '', 0)).toBe(true);
        await leased();
      });

      it('puts the mark of a failure in its place', async () => {
        const marker = await leased();
        const mark = writeFailure(ids.next(), Date.now() + LONG_MS);
        expect(await store.settle(entry, marker, mark, LONG_MS)).toBe(true);
        expect(await other.claim(entry, newMarker(), LONG_MS)).toEqual(Buffer.from(mark));
      });

      it('settles each of many in one tick by its own lease', async () => {
        const loads = Array.from({ length: 150 }, (_, i) => ({
          own: newEntry(),
          marker: newMarker(),
          value: newValue(`${i}`),
        }));
        await Promise.all(loads.map(({ own, marker }) => store.claim(own, marker, LONG_MS)));
        await store.evict(loads.filter((_, i) => i % 3 === 0).map(({ own }) => own));
        const settled = await Promise.all(
          loads.map(({ own, marker, value }, i) => store.settle(own, marker, i % 3 === 1 ? '' : value, LONG_MS)),
        );
        expect(settled).toEqual(loads.map((_, i) => i % 3 !== 0));
        const found = await Promise.all(loads.map(({ own }) => other.read(own)));
        expect(found).toEqual(loads.map(({ value }, i) => (i % 3 === 2 ? value : null)));
      });

      it('knows our lease also when somebody waits for it', async () => {
        const marker = await leased();
        await other.wait(entry, newMarker(), LONG_MS);
        expect(await store.settle(entry, marker, newValue(), LONG_MS)).toBe(true);
      });

      it.each<[string, (marker: string) => Promise<unknown>]>([
        ['was evicted', () => other.evict([entry])],
        ['was evicted, and taken by another', async () => (await other.evict([entry]), leased())],
        ['was overwritten', () => put(newValue('newer'))],
        ['was settled', (marker) => other.settle(entry, marker, newValue('first'), LONG_MS)],
      ])('drops the value, and leaves everything as it is, when the lease %s', async (_how, change) => {
        const marker = await leased();
        await change(marker);
        const before = await store.read(entry);
        expect(await store.settle(entry, marker, newValue('late'), LONG_MS)).toBe(false);
        expect(await store.read(entry)).toEqual(before);
      });

      it('drops the value when the lease has ended', async () => {
        const marker = await leased(SHORT_MS);
        await isGone();
        expect(await store.settle(entry, marker, newValue(), LONG_MS)).toBe(false);
        expect(await store.read(entry)).toBeNull();
      });
    });

    describe('wait', () => {
      it("tells how long another's lease lasts, and does not make it last longer", async () => {
        await leased(LONG_MS);
        for (let asked = 0; asked < 2; asked++) {
          const { waitMs, held } = await other.wait(entry, newMarker(), 10 * LONG_MS);
          expect(held).toBeNull();
          expect(waitMs).toBeGreaterThan(LONG_MS / 2);
          expect(waitMs).toBeLessThanOrEqual(LONG_MS);
        }
      });

      it('takes the lease where there is none by now', async () => {
        const marker = newMarker();
        expect(await store.wait(entry, marker, LONG_MS)).toEqual({ waitMs: 0, held: null });
        expect(await other.claim(entry, newMarker(), LONG_MS)).toEqual(Buffer.from(marker));
      });

      it('gives what has taken its place: a value, or the mark of a failure', async () => {
        const value = await put();
        expect(await store.wait(entry, newMarker(), LONG_MS)).toEqual({ waitMs: 0, held: value });
        const mark = Buffer.from(writeFailure(ids.next(), 0));
        await put(mark);
        expect(await store.wait(entry, newMarker(), LONG_MS)).toEqual({ waitMs: 0, held: mark });
      });
    });

    describe('listen', () => {
      const woken: (string | null)[] = [];
      beforeAll(() => other.listen((own) => woken.push(own)));
      beforeEach(() => void woken.splice(0));

      const waits = async (): Promise<void> => {
        expect((await other.wait(entry, newMarker(), LONG_MS)).waitMs).toBeGreaterThan(0);
      };
      const isWoken = (): Promise<void> => eventually(() => expect(woken).toEqual([entry]));

      it.each<[string, (marker: string) => Promise<unknown>]>([
        ['a value takes its place', (marker) => store.settle(entry, marker, newValue(), LONG_MS)],
        ['nothing does', (marker) => store.settle(entry, marker, '', 0)],
        ['a failure does', (marker) => store.settle(entry, marker, writeFailure(ids.next(), 0), LONG_MS)],
        ['it is overwritten', () => put()],
        ['it is evicted', () => store.evict([newEntry(), entry])],
      ])('wakes those who wait for a lease when %s', async (_how, end) => {
        const marker = await leased();
        await waits();
        await waits();
        await end(marker);
        await isWoken();
      });

      it.each<[string, (marker: string, value: Buffer) => Promise<unknown>]>([
        [
          'a value',
          (marker, value) =>
            store.settleRefresh(entry, headOf(value), marker, { kind: 'value', bytes: newValue(), ttlMs: LONG_MS }),
        ],
        ['nothing', (marker, value) => store.settleRefresh(entry, headOf(value), marker, { kind: 'nothing' })],
        [
          'a value that is dropped',
          async (marker, value) => {
            await put();
            await store.settleRefresh(entry, headOf(value), marker, { kind: 'nothing' });
          },
        ],
      ])('wakes those who wait for a refresh when it has come to %s', async (_what, end) => {
        const value = await put();
        const marker = await refreshing(value);
        const claim = await other.claimRefresh(entry, headOf(value), newMarker(), LONG_MS, true);
        expect(claim).toMatchObject({ kind: 'theirs' });
        await end(marker, value);
        await isWoken();
      });

      it('wakes nobody where nobody waits', async () => {
        await store.settle(entry, await leased(), newValue(), LONG_MS);
        const value = await put();
        const marker = await refreshing(value);
        await other.claimRefresh(entry, headOf(value), newMarker(), LONG_MS, false);
        await store.settleRefresh(entry, headOf(value), marker, { kind: 'nothing' });
        await leased();
        await store.evict([entry]);
        entry = newEntry();
        await leased();
        await waits();
        await put();
        await isWoken();
      });
    });

    describe('claimRefresh', () => {
      it('gives the right to replace an entry to one, and lets the entry be read meanwhile', async () => {
        const value = await put();
        await refreshing(value);
        const claim = await other.claimRefresh(entry, headOf(value), newMarker(), LONG_MS, false);
        expect(claim.kind).toBe('theirs');
        expect(claim.kind === 'theirs' && claim.waitMs).toBeGreaterThan(LONG_MS / 2);
        expect(await other.claim(entry, newMarker(), LONG_MS)).toEqual(value);
      });

      it('passes on when the holder is dead, whether somebody waits for him or not', async () => {
        const value = await put();
        await refreshing(value, SHORT_MS);
        const again = (): Promise<unknown> => other.claimRefresh(entry, headOf(value), newMarker(), LONG_MS, true);
        await eventually(async () => expect(await again()).toEqual({ kind: 'ours' }));
      });

      it('knows the entry by its first bytes, though they be no text', async () => {
        const stranger = Buffer.concat([Buffer.from([0xff, 0xfe, 0x80]), Buffer.alloc(50, 0x90)]);
        await put(stranger);
        await refreshing(stranger);
      });

      it.each<[string, () => Promise<unknown>]>([
        ['is another by now', () => put()],
        ['is gone', () => store.evict([entry])],
        ['is gone, and its lease taken', async () => (await store.evict([entry]), leased())],
      ])('says so when the entry %s, and takes nothing', async (_how, change) => {
        const value = await put();
        await change();
        const claim = await other.claimRefresh(entry, headOf(value), newMarker(), LONG_MS, true);
        expect(claim).toEqual({ kind: 'moved' });
        const later = await put();
        await refreshing(later);
      });

      it('does not take an entry that begins alike for one that was shorter than a head', async () => {
        await put(Buffer.from('abc'));
        expect(await store.claimRefresh(entry, 'ab', newMarker(), LONG_MS, true)).toEqual({ kind: 'moved' });
      });

      it('does not take an entry that is gone for one that was empty', async () => {
        expect(await store.claimRefresh(entry, '', newMarker(), LONG_MS, true)).toEqual({ kind: 'moved' });
      });
    });

    describe('settleRefresh', () => {
      it('puts a new value in the place of the entry, for its own time, and ends the lease', async () => {
        const [value, next] = [await put(newValue(), LONG_MS), newValue('next')];
        const marker = await refreshing(value);
        const outcome = { kind: 'value', bytes: next, ttlMs: WHILE_MS } as const;
        expect(await store.settleRefresh(entry, headOf(value), marker, outcome)).toBe(true);
        expect(await other.read(entry)).toEqual(next);
        await refreshing(next);
        await isGone();
      });

      it('evicts the entry when there is nothing to keep', async () => {
        const value = await put();
        const marker = await refreshing(value);
        expect(await store.settleRefresh(entry, headOf(value), marker, { kind: 'nothing' })).toBe(true);
        expect(await other.read(entry)).toBeNull();
      });

      it('lets the stale entry serve on, with new flags and a new end, and the same version and payload', async () => {
        const value = await put(newValue(), WHILE_MS);
        const marker = await refreshing(value);
        const nowMs = 1_700_000_000_000;
        const outcome = { kind: 'prolonged', nowMs, serveMs: 1 } as const;
        expect(await store.settleRefresh(entry, headOf(value), marker, outcome)).toBe(true);
        const expected = Buffer.from(value);
        expected.write(new StoredValue(value).prolongedUntil(nowMs + 1), HEAD_LENGTH, 'latin1');
        expect(await other.read(entry)).toEqual(expected);
        await refreshing(value);
        // Its time in the store is what it was.
        await isGone();
      });

      it('lets it serve on no longer than it is kept', async () => {
        const value = await put(newValue(), WHILE_MS);
        const outcome = { kind: 'prolonged', nowMs: 1_700_000_000_000, serveMs: LONG_MS } as const;
        await store.settleRefresh(entry, headOf(value), await refreshing(value), outcome);
        const { isProlonged, freshUntilMs } = new StoredValue((await store.read(entry)) as Buffer);
        expect(isProlonged).toBe(true);
        expect(freshUntilMs).toBeGreaterThan(outcome.nowMs);
        expect(freshUntilMs).toBeLessThanOrEqual(outcome.nowMs + WHILE_MS);
      });

      it('leaves the mark of a failure for those who would try again, for its time, and the entry as it is', async () => {
        const value = await put();
        const marker = await refreshing(value);
        const mark = writeFailure(ids.next(), 0);
        const outcome = { kind: 'failure', mark, backoffMs: WHILE_MS } as const;
        expect(await store.settleRefresh(entry, headOf(value), marker, outcome)).toBe(true);
        const claim = (): Promise<unknown> => other.claimRefresh(entry, headOf(value), newMarker(), LONG_MS, true);
        expect(await claim()).toEqual({ kind: 'failed', mark: Buffer.from(mark) });
        expect(await store.read(entry)).toEqual(value);
        await eventually(async () => expect(await claim()).toEqual({ kind: 'ours' }));
      });

      it('lets the next one try at once after a failure without a backoff', async () => {
        const value = await put();
        const outcome = { kind: 'failure', mark: writeFailure(ids.next(), 0), backoffMs: 0 } as const;
        expect(await store.settleRefresh(entry, headOf(value), await refreshing(value), outcome)).toBe(true);
        await refreshing(value);
      });

      it('replaces an entry that is no text, and one that is shorter than a head', async () => {
        for (const stranger of [Buffer.alloc(40, 0x90), Buffer.from('ab')]) {
          await put(stranger);
          const next = newValue();
          const outcome = { kind: 'value', bytes: next, ttlMs: LONG_MS } as const;
          expect(await store.settleRefresh(entry, headOf(stranger), await refreshing(stranger), outcome)).toBe(true);
          expect(await store.read(entry)).toEqual(next);
        }
      });

      it.each<[string, (value: Buffer, marker: string) => Promise<unknown>]>([
        ['the entry was deleted', () => other.evict([entry])],
        ['the entry was deleted, and is being loaded anew', async () => (await other.evict([entry]), leased())],
        ['the entry was overwritten', () => put(newValue('newer'))],
        [
          'the refresh was settled',
          (value, marker) => other.settleRefresh(entry, headOf(value), marker, { kind: 'nothing' }),
        ],
      ])('drops whatever it came to when %s: it never revives or undoes anything', async (_how, change) => {
        const outcomes = [
          { kind: 'value', bytes: newValue('late'), ttlMs: LONG_MS },
          { kind: 'nothing' },
          { kind: 'prolonged', nowMs: 1, serveMs: LONG_MS },
          { kind: 'failure', mark: writeFailure(ids.next(), 0), backoffMs: LONG_MS },
        ] as const;
        for (const outcome of outcomes) {
          entry = newEntry();
          const value = await put();
          const marker = await refreshing(value);
          await change(value, marker);
          const before = await store.read(entry);
          expect(await store.settleRefresh(entry, headOf(value), marker, outcome)).toBe(false);
          expect(await store.read(entry)).toEqual(before);
        }
      });

      it('drops what it came to when the lease passed to another', async () => {
        const value = await put();
        const marker = await refreshing(value, SHORT_MS);
        const theirs = newMarker();
        const claim = (): Promise<unknown> => other.claimRefresh(entry, headOf(value), theirs, LONG_MS, false);
        await eventually(async () => expect(await claim()).toEqual({ kind: 'ours' }));
        expect(await store.settleRefresh(entry, headOf(value), marker, { kind: 'nothing' })).toBe(false);
        expect(await other.settleRefresh(entry, headOf(value), theirs, { kind: 'nothing' })).toBe(true);
      });

      it('does not undo an entry that begins alike, where the one before was shorter than a head', async () => {
        const stranger = await put(Buffer.from('ab'));
        const marker = await refreshing(stranger);
        const newer = await put(Buffer.from('abc'));
        expect(await store.settleRefresh(entry, headOf(stranger), marker, { kind: 'nothing' })).toBe(false);
        expect(await store.read(entry)).toEqual(newer);
      });

      it('does not revive an entry that was empty', async () => {
        const stranger = await put(Buffer.alloc(0));
        const marker = await refreshing(stranger);
        await other.evict([entry]);
        const outcome = { kind: 'value', bytes: newValue('late'), ttlMs: LONG_MS } as const;
        expect(await store.settleRefresh(entry, headOf(stranger), marker, outcome)).toBe(false);
        expect(await store.read(entry)).toBeNull();
      });
    });

    describe('renew', () => {
      it('makes the lease of a load last longer, also when somebody waits for it', async () => {
        const marker = await leased(LONG_MS);
        await other.wait(entry, newMarker(), LONG_MS);
        expect(await store.renew(entry, false, marker, 3 * LONG_MS)).toBe(true);
        expect((await other.wait(entry, newMarker(), LONG_MS)).waitMs).toBeGreaterThan(2 * LONG_MS);
      });

      it('makes the lease of a refresh last longer', async () => {
        const value = await put();
        const marker = await refreshing(value);
        expect(await store.renew(entry, true, marker, 3 * LONG_MS)).toBe(true);
        const claim = await other.claimRefresh(entry, headOf(value), newMarker(), LONG_MS, false);
        expect(claim.kind === 'theirs' && claim.waitMs).toBeGreaterThan(2 * LONG_MS);
      });

      it('renews nothing that is not ours: nothing, a value, the lease of another', async () => {
        expect(await store.renew(entry, false, newMarker(), LONG_MS)).toBe(false);
        expect(await store.renew(entry, true, newMarker(), LONG_MS)).toBe(false);
        expect(await store.read(entry)).toBeNull();
        await leased(WHILE_MS);
        expect(await store.renew(entry, false, newMarker(), LONG_MS)).toBe(false);
        await isGone();
        await put(newValue(), WHILE_MS);
        expect(await store.renew(entry, false, newMarker(), LONG_MS)).toBe(false);
        await isGone();
      });
    });

    describe('put', () => {
      it('writes any number of entries, each with its own time', async () => {
        const values = Array.from({ length: 600 }, (_, i) => ({
          entry: newEntry(),
          bytes: newValue(`${i}`),
          ttlMs: i % 2 === 0 ? LONG_MS : SHORT_MS,
        }));
        await store.put(values);
        await eventually(async () => {
          const found = await Promise.all(values.map((value) => other.read(value.entry)));
          expect(found).toEqual(values.map(({ bytes, ttlMs }) => (ttlMs === LONG_MS ? bytes : null)));
        });
      });

      it('writes more entries than one script could take', async () => {
        const values = Array.from({ length: 5_000 }, () => ({ entry: newEntry(), bytes: 'value', ttlMs: LONG_MS }));
        await store.put(values);
        const found = await Promise.all(values.map((value) => other.read(value.entry)));
        expect(found.every((held) => held !== null)).toBe(true);
      });

      it('overwrites a value, a lease and a failure', async () => {
        const places: (() => Promise<unknown>)[] = [
          () => put(),
          () => leased(),
          () => put(Buffer.from(writeFailure(ids.next(), 0))),
        ];
        for (const place of places) {
          entry = newEntry();
          await place();
          const value = await put(newValue('newer'));
          expect(await other.read(entry)).toEqual(value);
        }
      });

      it('lets the last of one list win where it holds an entry twice', async () => {
        const last = newValue('last');
        await store.put([newValue('first'), last].map((bytes) => ({ entry, bytes, ttlMs: LONG_MS })));
        expect(await store.read(entry)).toEqual(last);
      });
    });

    describe('evict', () => {
      it('evicts any number of entries, and leaves the others', async () => {
        const values = Array.from({ length: 600 }, () => ({ entry: newEntry(), bytes: newValue(), ttlMs: LONG_MS }));
        const value = await put();
        await store.put(values);
        await other.evict([...values.map((own) => own.entry), newEntry()]);
        const found = await Promise.all(values.map((own) => store.read(own.entry)));
        expect(found.every((held) => held === null)).toBe(true);
        expect(await store.read(entry)).toEqual(value);
      });

      it('lets the next one load what was being loaded', async () => {
        await leased();
        await other.evict([entry]);
        await leased();
      });
    });

    describe('tags', () => {
      let clock: string;
      let tags: string[];
      beforeEach(() => {
        clock = `${entry}:tags`;
        tags = ['a', 'b', 'c'].map((tag) => `${entry}:tags:${tag}`);
      });

      const read = (...own: readonly string[]) => store.readTags({ clock, tags: own }, LONG_MS);
      const invalidate = (...own: readonly string[]) => other.invalidateTags({ clock, tags: own }, LONG_MS);
      const stamp = (token: string | undefined): number => Number(token?.slice(1));

      it('have no token until one is needed', async () => {
        expect(await store.peekTags(tags)).toEqual([undefined, undefined, undefined]);
        expect(await store.peekTags([])).toEqual([]);
      });

      it('are given one when they are read for an entry, and keep it', async () => {
        const { tokens } = await read(...tags);
        expect(tokens).toHaveLength(3);
        for (const token of tokens) expect(token).toMatch(/^c\d+$/);
        expect((await read(...tags)).tokens).toEqual(tokens);
        expect(await other.peekTags(tags)).toEqual(tokens);
        expect(await other.peekTags([...tags].reverse())).toEqual([...tokens].reverse());
      });

      it('are given the same new token by an invalidation, and none of the others is', async () => {
        const [a, b, c] = tags as [string, string, string];
        const before = await read(...tags);
        const token = await invalidate(a, c);
        expect(token).toMatch(/^i\d+$/);
        expect(await store.peekTags(tags)).toEqual([token, before.tokens[1], token]);
        expect((await read(b, a)).tokens).toEqual([before.tokens[1], token]);
      });

      it('never have a token twice, however often they are invalidated, and later ones are greater', async () => {
        const tokens: string[] = [];
        for (let i = 0; i < 100; i++) tokens.push(await invalidate(...tags));
        expect(new Set(tokens).size).toBe(100);
        expect([...tokens].sort((a, b) => stamp(a) - stamp(b))).toEqual(tokens);
      });

      it('tell an invalidation before a reading of the clock from one after it', async () => {
        for (let i = 0; i < 50; i++) {
          const earlier = stamp(await invalidate(...tags));
          const { clockUs } = await read(...tags);
          const later = stamp(await invalidate(...tags));
          // The clock is no later than what was issued, whatever the time is: it may be set back before the next one.
          expect(clockUs).toBe(earlier);
          expect(later).toBeGreaterThan(clockUs);
        }
      });

      it('have no clock before the first invalidation', async () => {
        expect((await read(...tags)).clockUs).toBe(0);
      });

      it('show the clock itself to those who only peek, never later than it is', async () => {
        expect(await store.peekTags([clock])).toEqual([undefined]);
        const token = await invalidate(...tags);
        expect(await store.peekTags([clock])).toEqual([`${stamp(token)}`]);
      });

      it('are given another token than any before when theirs is gone', async () => {
        const seen = new Set<string>();
        for (let i = 0; i < 20; i++) {
          const made = (await read(...tags)).tokens[0] as string;
          const issued = await invalidate(...tags);
          for (const token of [made, issued]) {
            expect(seen).not.toContain(token);
            seen.add(token);
          }
          await store.evict(tags);
        }
      });

      it('keep their tokens for most of the time asked for at least, and not for ever', async () => {
        await store.readTags({ clock, tags }, SHORT_MS);
        const { tokens } = await read(...tags);
        await put(newValue(), 2 * SHORT_MS);
        await isGone();
        expect(await other.peekTags(tags)).toEqual(tokens);
        await store.invalidateTags({ clock, tags }, SHORT_MS);
        const all = [clock, ...tags];
        await eventually(async () => expect(await store.peekTags(all)).toEqual(all.map(() => undefined)));
      });
    });

    describe('scan', () => {
      it('finds every key that matches, and no other', async () => {
        const space = `${under.prefix}:${randomUUID()}`;
        const keys = Array.from({ length: 700 }, (_, i) => `${space}:{user,${i}}`);
        const others = [`${space}:{userx,1}`, `${space}:more:{user,1}`, `${space}x:{user,1}`];
        await store.put([...keys, ...others].map((own) => ({ entry: own, bytes: newValue(), ttlMs: LONG_MS })));
        expect(await found(`${space}:{user,*}`)).toEqual([...keys].sort());
        expect(await found(`${space}:{user,7}`)).toEqual([`${space}:{user,7}`]);
        expect(await found(`${space}:{nobody,*}`)).toEqual([]);
      });

      it('finds nothing whose time is over', async () => {
        await put(newValue(), SHORT_MS);
        await eventually(async () => expect(await found(entry)).toEqual([]));
      });

      async function found(pattern: string): Promise<string[]> {
        const keys = new Set<string>();
        for await (const batch of other.scan(pattern, undefined)) for (const key of batch) keys.add(key);
        return [...keys].sort();
      }
    });
  });
}

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ClaimedBatch, Journal, JournalConfig } from '../../../src/cache/write-behind/journal/journal.js';
import { MemoryJournal } from '../../../src/cache/write-behind/journal/memory-journal.js';
import { RedisJournal } from '../../../src/cache/write-behind/journal/redis-journal.js';
import { WriteBehindModeError } from '../../../src/cache/write-behind/write-behind.errors.js';
import { systemClock } from '../../../src/core/time/clock.js';
import { eventually } from '../../../src/testing/index.js';
import { expectNoLeakedConnections, keysUnder, randomPrefix, sharedRedis } from '../../support/redis.js';
import { closeAfterEach, openRedis } from '../redis/open-redis.js';

expectNoLeakedConnections();
closeAfterEach();

const CONFIG: JournalConfig = {
  name: 'contract',
  mode: 'replace',
  batchSize: 3,
  maxPending: 10,
  leaseMs: 60_000,
  idWindowMs: 60_000,
  deadlineMs: 5_000,
};

type Store = 'memory' | 'standalone' | 'cluster';

const prefix = randomPrefix();
let journals = 0;

/** A journal of its own for each call. */
async function open(store: Store, config: Partial<JournalConfig> = {}): Promise<Journal> {
  journals += 1;
  const own = { ...CONFIG, name: `contract ${journals}`, ...config };
  if (store === 'memory') return new MemoryJournal(own, systemClock);
  return new RedisJournal(own, await openRedis({ keyPrefix: prefix, ...sharedRedis(store) }));
}

const texts = ({ entries }: Pick<ClaimedBatch, 'entries'>): Record<string, string> =>
  Object.fromEntries(entries.map(({ field, value }) => [field, value.toString()]));

/** Redis keeps times in milliseconds. */
const laterThan = (ms: number): Promise<void> =>
  eventually(() => expect(Date.now()).toBeGreaterThan(ms + 1), { every: '1ms' });

const claimed = async (journal: Journal): Promise<ClaimedBatch> => {
  const batch = await journal.claim();
  if (batch === null) throw new Error('There was nothing to claim');
  return batch;
};

describe.each<Store>(['memory', 'standalone', 'cluster'])('a journal in %s', (store) => {
  let journal: Journal;
  const fill = async (...fields: string[]): Promise<void> => {
    for (const field of fields) expect(await journal.write(field, `value of ${field}`, undefined)).toBe('journalled');
  };

  describe('that replaces', () => {
    beforeEach(async () => {
      journal = await open(store);
    });

    it('is empty at first', async () => {
      expect(await journal.claim()).toBeNull();
      expect(await journal.pending('a')).toEqual([null, null]);
      expect(await journal.size()).toEqual({ waiting: 0, inFlight: 0, deadLetters: 0 });
    });

    it('keeps the last of the writes that wait together, bytes as they are', async () => {
      await fill('a');
      await journal.write('a', Buffer.from([0, 255, 10]), undefined);
      expect((await claimed(journal)).entries).toEqual([{ field: 'a', value: Buffer.from([0, 255, 10]) }]);
    });

    it('gives batches of its size, of those that have waited longest', async () => {
      await fill('a', 'b', 'c', 'd');
      await journal.write('a', 'again', undefined);
      expect(texts(await claimed(journal))).toEqual({ a: 'again', b: 'value of b', c: 'value of c' });
      expect(texts(await claimed(journal))).toEqual({ d: 'value of d' });
      expect(await journal.claim()).toBeNull();
      expect(await journal.size()).toEqual({ waiting: 0, inFlight: 4, deadLetters: 0 });
    });

    it('gives each batch an id of its own', async () => {
      await fill('a', 'b', 'c', 'd');
      expect((await claimed(journal)).id).not.toBe((await claimed(journal)).id);
    });

    it('keeps a later write of a key back until its batch is settled', async () => {
      await fill('a');
      const batch = await claimed(journal);
      await journal.write('a', 'later', undefined);
      expect(await journal.claim()).toBeNull();
      expect((await journal.pending('a')).map(String)).toEqual(['value of a', 'later']);
      expect(await journal.settle(batch, [])).toBe(true);
      expect(texts(await claimed(journal))).toEqual({ a: 'later' });
    });

    it('keeps it back while the batch waits to be tried again, too', async () => {
      await fill('a');
      await journal.postpone(await claimed(journal), 60_000);
      await journal.write('a', 'later', undefined);
      expect(await journal.claim()).toBeNull();
    });

    it('gives a postponed batch again after its pause: the same id, the same entries, another attempt', async () => {
      await fill('a', 'b');
      const first = await claimed(journal);
      expect(await journal.postpone(first, 30)).toBe(true);
      await journal.write('a', 'later', undefined);
      const again = await eventually(() => claimed(journal));
      expect(again.id).toBe(first.id);
      expect(texts(again)).toEqual({ a: 'value of a', b: 'value of b' });
      expect([first.attempt, again.attempt]).toEqual([1, 2]);
    });

    it('counts after how many failures of a batch the source took something else, each once', async () => {
      await fill('a', 'b', 'c', 'd');
      const failing = await claimed(journal);
      const other = await claimed(journal);
      expect([failing.overtaken, other.overtaken]).toEqual([0, 0]);
      await journal.postpone(failing, 1);
      const second = await eventually(() => claimed(journal));
      expect(second.overtaken).toBe(0);
      await journal.postpone(second, 1);
      await journal.settle(other, []);
      const third = await eventually(() => claimed(journal));
      expect(third.overtaken).toBe(1);
      await laterThan(Date.now());
      await journal.postpone(third, 1);
      expect((await eventually(() => claimed(journal))).overtaken).toBe(1);
    });

    it('lets go of a settled batch and of nothing else', async () => {
      await fill('a', 'b', 'c', 'd');
      const first = await claimed(journal);
      const second = await claimed(journal);
      expect(await journal.settle(first, [])).toBe(true);
      expect(await journal.settle(first, [])).toBe(false);
      expect(await journal.size()).toEqual({ waiting: 0, inFlight: 1, deadLetters: 0 });
      expect(await journal.settle(second, [])).toBe(true);
      expect(await journal.size()).toEqual({ waiting: 0, inFlight: 0, deadLetters: 0 });
      expect(await journal.pending('a')).toEqual([null, null]);
    });

    it('refuses new keys when it is full, but not those that wait', async () => {
      const full = await open(store, { maxPending: 4, batchSize: 1 });
      for (const field of ['a', 'b', 'c']) await full.write(field, 'value', undefined);
      await full.settle(await claimed(full), [{ field: 'a', reason: 'Poison' }]);
      await claimed(full);
      expect(await full.size()).toEqual({ waiting: 1, inFlight: 1, deadLetters: 1 });
      expect(await full.write('d', 'value', undefined)).toBe('journalled');
      expect(await full.write('e', 'value', 'once')).toBe('full');
      expect(await full.write('d', 'newer', undefined)).toBe('journalled');
      expect(await full.pending('e')).toEqual([null, null]);
      await full.discard(['a']);
      // A refusal did not use up the id.
      expect(await full.write('e', 'value', 'once')).toBe('journalled');
    });

    it('buries what was refused, and lists it oldest first', async () => {
      await fill('a', 'b', 'c');
      await journal.settle(await claimed(journal), [{ field: 'b', reason: 'Poison' }]);
      await eventually(async () => {
        await fill('d');
        await journal.settle(await claimed(journal), [{ field: 'd', reason: 'Other' }]);
        const [first, second] = await journal.deadLetters(0, 10);
        expect(second!.sinceMs).toBeGreaterThan(first!.sinceMs);
      });
      const [first, second] = await journal.deadLetters(0, 10);
      expect(first).toMatchObject({ field: 'b', value: Buffer.from('value of b'), reason: 'Poison' });
      expect(second).toMatchObject({ field: 'd', reason: 'Other' });
      expect(Math.abs(Date.now() - first!.sinceMs)).toBeLessThan(60_000);
      expect(await journal.deadLetters(1, 10)).toHaveLength(1);
      expect(await journal.deadLetters(0, 1)).toHaveLength(1);
      expect(await journal.size()).toEqual({ waiting: 0, inFlight: 0, deadLetters: 2 });
    });

    it('revives dead letters, and discards them', async () => {
      await fill('a', 'b', 'c');
      const refused = ['a', 'b', 'c'].map((field) => ({ field, reason: 'Poison' }));
      await journal.settle(await claimed(journal), refused);
      expect(await journal.revive(['a', 'unknown'])).toBe(1);
      expect(await journal.discard(['b', 'unknown'])).toBe(1);
      expect((await journal.deadLetters(0, 10)).map(({ field }) => field)).toEqual(['c']);
      expect(texts(await claimed(journal))).toEqual({ a: 'value of a' });
    });

    it('never revives a value that a later write of the key has overtaken', async () => {
      const bury = async (): Promise<void> => {
        await journal.write('a', 'old', undefined);
        await journal.settle(await claimed(journal), [{ field: 'a', reason: 'Poison' }]);
      };
      await bury();
      await journal.write('a', 'waiting', undefined);
      expect(await journal.revive(['a'])).toBe(1);
      expect((await journal.pending('a')).map(String)).toEqual(['null', 'waiting']);
      await journal.settle(await claimed(journal), []);

      await bury();
      await journal.write('a', 'in flight', undefined);
      const batch = await claimed(journal);
      expect(await journal.revive(['a'])).toBe(1);
      expect((await journal.pending('a')).map(String)).toEqual(['in flight', 'null']);
      await journal.settle(batch, []);

      await bury();
      await journal.write('a', 'taken', undefined);
      await journal.settle(await claimed(journal), []);
      expect(await journal.deadLetters(0, 10)).toEqual([]);
      expect(await journal.size()).toEqual({ waiting: 0, inFlight: 0, deadLetters: 0 });
    });

    it('counts a write once for each id of a key, and remembers it past the flush', async () => {
      expect(await journal.write('a', 'first', 'id')).toBe('journalled');
      expect(await journal.write('a', 'second', 'id')).toBe('repeated');
      expect(await journal.write('b', 'other key', 'id')).toBe('journalled');
      expect(await journal.write('a', 'other id', 'id 2')).toBe('journalled');
      await journal.settle(await claimed(journal), []);
      expect(await journal.write('a', 'third', 'id')).toBe('repeated');
      expect(await journal.claim()).toBeNull();
    });

    it('forgets an id after its window', async () => {
      const brief = await open(store, { idWindowMs: 30 });
      expect(await brief.write('a', 'first', 'id')).toBe('journalled');
      await eventually(async () => expect(await brief.write('a', 'again', 'id')).toBe('journalled'));
    });

    it('remembers no more ids than it may hold entries, the latest', async () => {
      for (let i = 0; i < 15; i++) {
        await journal.write('a', 'value', `id ${i}`);
        // Redis orders ids of one millisecond by name.
        const afterMs = Date.now();
        await eventually(() => expect(Date.now()).toBeGreaterThan(afterMs), { every: '1ms' });
      }
      expect(await journal.write('a', 'value', 'id 14')).toBe('repeated');
      expect(await journal.write('a', 'value', 'id 5')).toBe('repeated');
      expect(await journal.write('a', 'value', 'id 0')).toBe('journalled');
    });
  });

  describe('whose lease ran out', () => {
    beforeEach(async () => {
      journal = await open(store, { leaseMs: 40 });
    });

    it('gives the batch to the next claimer: the same id, the same entries, another attempt', async () => {
      await fill('a', 'b');
      const first = await claimed(journal);
      await fill('a');
      const second = await eventually(() => claimed(journal));
      expect(second).toMatchObject({ id: first.id, attempt: 2, entries: first.entries });
    });

    it('counts a failure that was overtaken once, also when the next attempt ended without a word', async () => {
      await fill('a');
      await journal.postpone(await claimed(journal), 500);
      await fill('b');
      await journal.settle(await claimed(journal), []);
      for (const attempt of [2, 3]) {
        expect(await eventually(() => claimed(journal))).toMatchObject({ attempt, overtaken: 1 });
      }
    });

    it('lets the overtaken claimer change nothing', async () => {
      await fill('a');
      const first = await claimed(journal);
      const second = await eventually(() => claimed(journal));
      expect(await journal.settle(first, [{ field: 'a', reason: 'Poison' }])).toBe(false);
      expect(await journal.postpone(first, 60_000)).toBe(false);
      expect(await journal.renew(first)).toBe(false);
      expect(await journal.size()).toEqual({ waiting: 0, inFlight: 1, deadLetters: 0 });
      expect(await journal.settle(second, [])).toBe(true);
    });

    it('keeps the batch with its claimer for as long as the lease is renewed', async () => {
      await fill('a');
      const batch = await claimed(journal);
      const endMs = performance.now() + 200;
      let others = 0;
      // The machine may be held up for longer than the lease; then somebody else may have it.
      for (let lastMs = performance.now(); performance.now() < endMs; lastMs = performance.now()) {
        const renewed = await journal.renew(batch);
        if (performance.now() - lastMs > 30) return;
        expect(renewed).toBe(true);
        if ((await journal.claim()) !== null) others += 1;
      }
      expect(others).toBe(0);
    });
  });

  describe('that adds', () => {
    beforeEach(async () => {
      journal = await open(store, { mode: 'add' });
    });

    it('sums what waits, and keeps it apart from what is in flight', async () => {
      for (const value of ['5', '-2', '10']) await journal.write('a', value, undefined);
      const batch = await claimed(journal);
      expect(texts(batch)).toEqual({ a: '13' });
      await journal.write('a', '4', undefined);
      expect((await journal.pending('a')).map(String)).toEqual(['13', '4']);
      await journal.settle(batch, []);
      expect(texts(await claimed(journal))).toEqual({ a: '4' });
    });

    it('keeps every digit, and refuses a sum that is no safe integer', async () => {
      const most = Number.MAX_SAFE_INTEGER;
      expect(await journal.write('a', `${most - 1}`, undefined)).toBe('journalled');
      expect(await journal.write('a', '2', 'once')).toBe('overflow');
      expect(await journal.write('a', `${most}`, undefined)).toBe('overflow');
      expect(await journal.write('a', '1', 'once')).toBe('journalled');
      expect((await journal.pending('a')).map(String)).toEqual(['null', `${most}`]);
      expect(await journal.write('b', `${-most}`, undefined)).toBe('journalled');
      expect(await journal.write('b', '-1', undefined)).toBe('overflow');
      expect(texts(await claimed(journal))).toEqual({ a: `${most}`, b: `${-most}` });
    });

    it('sums dead letters of a key, and what waits when they are revived', async () => {
      for (const value of ['5', '7']) {
        await journal.write('a', value, undefined);
        await journal.settle(await claimed(journal), [{ field: 'a', reason: 'Poison' }]);
      }
      expect(texts({ entries: await journal.deadLetters(0, 10) })).toEqual({ a: '12' });
      await journal.write('a', '1', undefined);
      expect(await journal.revive(['a'])).toBe(1);
      expect(texts(await claimed(journal))).toEqual({ a: '13' });
    });

    it('leaves a dead letter where it is when the sum would be no safe integer', async () => {
      await journal.write('a', '5', undefined);
      await journal.settle(await claimed(journal), [{ field: 'a', reason: 'Poison' }]);
      await journal.write('a', `${Number.MAX_SAFE_INTEGER}`, undefined);
      expect(await journal.revive(['a'])).toBe(0);
      expect(await journal.size()).toEqual({ waiting: 1, inFlight: 0, deadLetters: 1 });
    });
  });
});

describe.each<'standalone' | 'cluster'>(['standalone', 'cluster'])(
  'a journal on %s whose mode was changed',
  (store) => {
    it.each([
      ['in flight', 'bytes', '5'],
      ['a dead letter', '5', 'bytes'],
    ])(
      'settles nothing when what is %s cannot be summed, and leaves the batch as it is',
      async (_what, flying, dead) => {
        const name = 'contract changed';
        const redis = await openRedis({ keyPrefix: randomPrefix(), ...sharedRedis(store) });
        const replacing = new RedisJournal({ ...CONFIG, name, leaseMs: 40 }, redis);
        const adding = new RedisJournal({ ...CONFIG, name, leaseMs: 40, mode: 'add' }, redis);
        await replacing.write('a', dead, undefined);
        await replacing.settle(await claimed(replacing), [{ field: 'a', reason: 'Poison' }]);
        await replacing.write('a', flying, undefined);
        await replacing.write('b', '7', undefined);
        const first = await claimed(replacing);
        const refused = [{ field: 'a', reason: 'Poison' }];
        await expect(adding.settle(first, refused)).rejects.toThrow(WriteBehindModeError);
        await expect(adding.settle(first, refused)).rejects.toThrow(
          "'contract changed' holds values of mode 'replace'",
        );
        expect(await adding.size()).toEqual({ waiting: 0, inFlight: 2, deadLetters: 1 });
        const again = await eventually(() => claimed(adding));
        expect(again.id).toBe(first.id);
        expect(texts(again)).toEqual({ a: flying, b: '7' });
        // With its mode back the journal goes on.
        expect(await replacing.settle(again, refused)).toBe(true);
        expect(texts({ entries: await replacing.deadLetters(0, 10) })).toEqual({ a: flying });
        await redis.send(
          'UNLINK',
          ['state', 'dead', 'dead-since', 'dead-reasons'].map(
            (part) => `${redis.keyPrefix}:write-behind:{contract%20changed}:${part}`,
          ),
        );
      },
    );
  },
);

describe.each<'standalone' | 'cluster'>(['standalone', 'cluster'])('what a journal leaves in Redis on %s', (store) => {
  let own: string;
  beforeEach(() => {
    own = randomPrefix();
  });
  afterEach(async () => {
    const keys = await keysUnder(store, own);
    // Only the number of the last batch, and when it was taken.
    expect(keys).toEqual([`${own}:write-behind:{views}:state`]);
  });

  it('is nothing but a counter once everything is settled', async () => {
    const redis = await openRedis({ keyPrefix: own, ...sharedRedis(store) });
    const journal = new RedisJournal({ ...CONFIG, name: 'views', idWindowMs: 100 }, redis);
    for (let i = 0; i < 10; i++) await journal.write(`${i}`, 'value', `${i}`);
    for (let batch = await journal.claim(); batch !== null; batch = await journal.claim()) {
      await journal.settle(batch, [{ field: '0', reason: 'Poison' }]);
    }
    await journal.discard(['0']);
    await eventually(async () => expect(await keysUnder(store, own)).toHaveLength(1));
    const state = (await redis.send('HKEYS', [`${own}:write-behind:{views}:state`])) as Buffer[];
    expect(state.map(String).sort()).toEqual(['accepted', 'last']);
  });
});

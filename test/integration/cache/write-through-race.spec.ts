import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { CacheService } from '../../../src/cache/index.js';
import { cacheApp } from '../../support/cache-app.js';
import { describeTopologies, expectEveryKeyExpires, randomPrefix, sharedRedis } from '../../support/redis.js';

/** A write of the source that a test lets go on when it likes. */
function heldUp<T>(value: T): { readonly write: () => Promise<T>; readonly begun: Promise<void>; finish: () => void } {
  let begin = (): void => undefined;
  let finish = (): void => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const finished = new Promise<void>((resolve) => (finish = resolve));
  return {
    begun,
    finish: () => finish(),
    write: async () => {
      begin();
      await finished;
      return value;
    },
  };
}

describeTopologies((topology) => {
  describe('two writers of one key', () => {
    const prefix = randomPrefix();
    const apps: TestingModule[] = [];
    let caches: readonly [CacheService, CacheService];

    beforeAll(async () => {
      for (let i = 0; i < 2; i++) apps.push(await cacheApp({ redis: sharedRedis(topology), prefix }));
      caches = apps.map((app) => app.get(CacheService)) as unknown as typeof caches;
    });

    afterAll(async () => {
      await expectEveryKeyExpires(topology, prefix);
      await Promise.all(apps.map((app) => app.close()));
    });

    it('stores what an only writer wrote, and marks nothing afterwards', async () => {
      expect(await caches[0].writeThrough('alone', () => 'written')).toBe('written');
      expect(await caches[1].get('alone')).toBe('written');
      expect(await caches[1].writeThrough('alone', () => 'again')).toBe('again');
      expect(await caches[0].get('alone')).toBe('again');
    });

    it.each([
      ['the first ends first', [0, 1]],
      ['the second ends first', [1, 0]],
    ])('leaves nothing that the source may have replaced when %s', async (_, order) => {
      const key = ['overlap', order];
      const writes = [heldUp('first'), heldUp('second')];
      const running: Promise<string>[] = [];
      for (const [i, { write, begun }] of writes.entries()) {
        running.push((caches[i] as CacheService).writeThrough(key, write));
        await begun;
      }
      for (const i of order) {
        writes[i]?.finish();
        await running[i];
      }
      expect(await Promise.all(caches.map((cache) => cache.get(key)))).toEqual([undefined, undefined]);
      // The next one is alone again.
      await caches[0].writeThrough(key, () => 'later');
      expect(await caches[1].get(key)).toBe('later');
    });

    it.each<[string, (other: CacheService, key: string) => Promise<unknown>]>([
      ['deleted', (other, key) => other.delete(key)],
      ['invalidated by a tag that is given', (other) => other.invalidateTags(['given'])],
      ['invalidated by a tag read off the value', (other) => other.invalidateTags(['of: written'])],
      ['cleared', (other) => other.clear()],
    ])('does not bring back an entry that was %s while the source was written', async (what, invalidate) => {
      const key = `write and ${what}`;
      const tags = what.includes('read off') ? (value: string) => [`of: ${value}`] : ['given'];
      const write = heldUp('written');
      // The tags have tokens, and everybody knows them.
      for (const cache of caches) await cache.writeThrough(key, () => 'written', { tags });
      expect(await caches[1].get(key)).toBe('written');
      const writing = caches[0].writeThrough(key, write.write, { tags });
      await write.begun;
      await invalidate(caches[1], key);
      write.finish();
      expect(await writing).toBe('written');
      expect(await Promise.all(caches.map((cache) => cache.get(key)))).toEqual([undefined, undefined]);
      // The next one is alone again.
      await caches[0].writeThrough(key, () => 'later', { tags });
      expect(await caches[1].get(key)).toBe('later');
    });

    it('does not replace what was set while the source was written', async () => {
      const write = heldUp('written');
      const writing = caches[0].writeThrough('set', write.write);
      await write.begun;
      expect(await caches[1].set('set', 'newer')).toBe(true);
      write.finish();
      expect(await writing).toBe('written');
      expect(await caches[1].get('set')).not.toBe('written');
    });

    it('leaves nothing of a writer who began when one of two others had ended', async () => {
      const key = 'three';
      const writes = ['first', 'second', 'third'].map(heldUp);
      const running: Promise<string>[] = [];
      const begin = async (i: number): Promise<void> => {
        running[i] = caches[0].writeThrough(key, writes[i]?.write as () => Promise<string>);
        await writes[i]?.begun;
      };
      const end = async (i: number): Promise<void> => {
        writes[i]?.finish();
        await running[i];
      };
      await begin(0);
      await begin(1);
      await end(1);
      await begin(2);
      // The source may have taken the first one's write last.
      await end(0);
      await end(2);
      expect(await caches[1].get(key)).toBeUndefined();
    });

    it('drops what was loaded between the end of one write and the end of the other', async () => {
      const writes = [heldUp('first'), heldUp('second')];
      const first = caches[0].writeThrough('loaded', (writes[0] as (typeof writes)[0]).write);
      await writes[0]?.begun;
      const second = caches[1].writeThrough('loaded', (writes[1] as (typeof writes)[0]).write);
      await writes[1]?.begun;
      writes[0]?.finish();
      await first;
      expect(await caches[0].getOrSet('loaded', () => 'first')).toBe('first');
      writes[1]?.finish();
      await second;
      expect(await caches[0].getOrSet('loaded', () => 'second')).toBe('second');
    });

    it('leaves the entry as it was when the write fails, and does not stand in the way of the next', async () => {
      await caches[0].set('failing', 'before');
      await expect(caches[0].writeThrough('failing', () => Promise.reject(new Error('constraint')))).rejects.toThrow(
        'constraint',
      );
      expect(await caches[1].get('failing')).toBe('before');
      await caches[1].writeThrough('failing', () => 'after');
      expect(await caches[0].get('failing')).toBe('after');
    });
  });
});

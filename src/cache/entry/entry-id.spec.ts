import { describe, expect, it } from '@jest/globals';
import { EntryIds, ID_LENGTH } from './entry-id.js';

describe('EntryIds', () => {
  const take = (ids: EntryIds, count: number): string[] => Array.from({ length: count }, () => ids.next());

  it('never gives one id twice, nor one that another maker gives', () => {
    const all = Array.from({ length: 5 }, () => take(new EntryIds(), 10_000)).flat();
    expect(new Set(all).size).toBe(all.length);
  });

  it('gives ids of one length, in characters that may stand anywhere', () => {
    for (const id of take(new EntryIds(), 5_000)) expect(id).toMatch(/^[\w-]+$/);
    expect(new Set(take(new EntryIds(), 5_000).map((id) => id.length))).toEqual(new Set([ID_LENGTH]));
  });

  it('draws new random bits after 4,096 ids', () => {
    const drawn = take(new EntryIds(), 3 * 4_096).map((id) => id.slice(0, 8));
    expect(new Set(drawn).size).toBe(3);
    expect(new Set(drawn.slice(0, 4_096)).size).toBe(1);
  });
});

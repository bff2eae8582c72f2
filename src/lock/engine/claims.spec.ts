import { describe, expect, it } from '@jest/globals';
import { Claims, MOST_PERMITS, tokenOf } from './claims.js';

/** As `lua/lock/turn.lua` takes claims apart. */
const WHOLE = /^[\w-]{22}[@~]\d+:/;
const SHARE = /^[\w-]{22}(?<permits>\d+)\/(?<limit>\d+)[@~](?<ttlMs>\d+):(?<channel>.*)$/;

describe('claims', () => {
  it('begin with a token that is never given twice, also not by another process', () => {
    const [some, others] = [new Claims('app:a', true), new Claims('app:b', true)];
    const tokens = Array.from({ length: 3_000 }, (_, i) => tokenOf((i % 3 === 0 ? others : some).next('all', 30_000)));
    expect(new Set(tokens).size).toBe(3_000);
    for (const token of tokens) expect(token).toMatch(/^[\w-]{22}$/);
  });

  it('have 128 random bits: each bit is set about every other time', () => {
    const claims = new Claims('', true);
    const set = new Array<number>(128).fill(0);
    for (let i = 0; i < 2_000; i++) {
      const bytes = Buffer.from(tokenOf(claims.next('all', 30_000)), 'base64url');
      expect(bytes.length).toBe(16);
      for (let bit = 0; bit < 128; bit++) set[bit] = (set[bit] ?? 0) + (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1);
    }
    // Off by nine standard deviations, one of them would not be random.
    for (const times of set) expect(Math.abs(times - 1_000)).toBeLessThan(200);
  });

  it('say how much of the lock they are for, and where their process is woken', () => {
    const claims = new Claims('shop:lock:wake:x-1', true);
    expect(claims.next('all', 30_000)).toMatch(WHOLE);
    expect(claims.next('all', 30_000).slice(22)).toBe('@30000:shop:lock:wake:x-1');
    const groups = { permits: '2', limit: '5', ttlMs: '40', channel: 'shop:lock:wake:x-1' };
    expect(SHARE.exec(claims.next({ permits: 2, limit: 5 }, 40))?.groups).toEqual(groups);
    expect(claims.next({ permits: 1, limit: MOST_PERMITS }, 10).slice(22)).toBe('1/999999999@10:shop:lock:wake:x-1');
  });

  it('say where the count of those who hear a message is not to be relied on', () => {
    const claims = new Claims('c', false);
    expect([claims.next('all', 30_000).slice(22), claims.next({ permits: 1, limit: 1 }, 10).slice(22)]).toEqual([
      '~30000:c',
      '1/1~10:c',
    ]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { EncodeError } from '../../core/codec/codec.errors.js';
import { readCookie } from './cookie-state.js';

const NOW = 1_700_000_000_000;
const DAY = 86_400_000;
const read = (cookie: unknown, before = ''): ReturnType<typeof readCookie> => readCookie({ cookie }, before, NOW, DAY);

describe('what a cookie says of its session', () => {
  it.each([
    ['a date', { expires: new Date(NOW + 1_234) }, 1_234, String(NOW + 1_234)],
    ['a text', { expires: new Date(NOW + 1_234).toISOString() }, 1_234, String(NOW + 1_234)],
    ['the past', { expires: new Date(NOW - 1) }, 0, String(NOW - 1)],
    ['what never comes', { expires: new Date(8.64e15) }, 3_650 * DAY, '8640000000000000'],
    ['no date', { expires: new Date(NaN) }, DAY, ''],
    ['null', { expires: null, originalMaxAge: null }, DAY, ''],
    ['false', { expires: false }, DAY, ''],
    ['a lifetime alone', { originalMaxAge: 1_234 }, 1_234, ''],
    ['a lifetime that is no number', { originalMaxAge: NaN }, DAY, ''],
    ['nothing', {}, DAY, ''],
  ])('ends with %s', (_, cookie, ttlMs, expires) => {
    expect(read(cookie)).toMatchObject({ ttlMs, expires });
  });

  it.each([undefined, null, 'text', 7])('is nothing when it is %j', (cookie) => {
    expect(read(cookie)).toEqual({ settings: '', expires: '', ttlMs: DAY });
  });

  it('is how it is set up, without its dates, in the form that it gives itself', () => {
    const cookie = {
      toJSON: () => ({ path: '/', expires: new Date(NOW), originalExpires: new Date(NOW), secure: true }),
    };
    expect(read(cookie).settings).toBe('{"path":"/","secure":true}');
  });

  it('has not changed for a lifetime that the clock has moved by a little', () => {
    const before = '{"originalMaxAge":60000,"path":"/"}';
    expect(read({ originalMaxAge: 59_999, path: '/' }, before).settings).toBe(before);
    expect(read({ originalMaxAge: 59_990, path: '/' }, before).settings).not.toBe(before);
    expect(read({ originalMaxAge: 59_999, path: '/a' }, before).settings).not.toBe(before);
    expect(read({ originalMaxAge: null, path: '/' }, before).settings).not.toBe(before);
  });

  it('is refused when it has no form in JSON', () => {
    expect(() => read({ domain: 1n })).toThrow(EncodeError);
  });
});

import { describe, expect, it } from '@jest/globals';
import { isFromBefore, LoadMark, stampOf, type KnownTag } from './known-tag.js';

const tag = (token: string, order: number): KnownTag => ({
  token,
  order,
  confirmed: order,
  heldUntilMs: 0,
  isLive: false,
});
const mark = (order: number, clockUs?: number): LoadMark => new LoadMark('clock', order, clockUs);

describe('isFromBefore', () => {
  it('trusts a token that this process knew when the load began, whatever it is', () => {
    for (const token of ['c5', 'i500']) expect(isFromBefore(tag(token, 3), mark(3))).toBe(true);
  });

  it('does not trust the token of an invalidation that was learnt since, unless the clock had passed it by then', () => {
    expect(isFromBefore(tag('i500', 4), mark(3, 499))).toBe(false);
    expect(isFromBefore(tag('i500', 4), mark(3, 500))).toBe(true);
  });

  it('does not trust it where the clock was not known', () => {
    expect(isFromBefore(tag('i500', 4), mark(3))).toBe(false);
  });

  it('trusts a token that was made since because the tag had none: nobody invalidated it', () => {
    expect(isFromBefore(tag('c900', 4), mark(3))).toBe(true);
    expect(isFromBefore(tag('c900', 4), mark(3, 500))).toBe(true);
  });
});

describe('stampOf', () => {
  it('reads the clock off the token of an invalidation, to the microsecond', () => {
    expect(stampOf('i1767225600000001')).toBe(1_767_225_600_000_001);
  });

  it.each(['c5', '', 'i', 'i5x', 'xi5', '5'])('finds none in %p', (token) => expect(stampOf(token)).toBeUndefined());
});

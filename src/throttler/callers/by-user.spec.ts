import { describe, expect, it, jest } from '@jest/globals';
import { byUser } from './by-user.js';
import type { Caller } from '../../core/calls/caller.js';

const call = (user: unknown): Caller =>
  ({ type: 'http', user, headers: {}, remoteAddress: '192.0.2.1' }) as unknown as Caller;

describe('by user', () => {
  it('goes by the id, or the subject of a token', () => {
    expect(byUser()(call({ id: 7, sub: 'a' }))).toEqual(['user', 7]);
    expect(byUser()(call({ sub: 'a' }))).toEqual(['user', 'a']);
    expect(byUser()(call('alice'))).toEqual(['user', 'alice']);
    expect(byUser()(call({ id: 0 }))).toEqual(['user', 0]);
  });

  it('goes by the address for all who are not logged in, or have no id', () => {
    for (const user of [undefined, null, {}, { id: '' }, { id: null }, '', true, 7]) {
      expect(byUser()(call(user))).toEqual(['ip', '192.0.2.1']);
    }
  });

  it('goes by what is picked, and asks only where somebody is logged in', () => {
    const pick = jest.fn((user: unknown, _caller: Caller) => (user as { email?: string }).email);
    const tracker = byUser(pick, () => 'fallback');
    const caller = call({ id: 7, email: 'a@example.org' });
    expect(tracker(caller)).toEqual(['user', 'a@example.org']);
    expect(pick).toHaveBeenCalledWith(caller.user, caller);
    expect(tracker(call({ id: 7 }))).toBe('fallback');
    expect(tracker(call(undefined))).toBe('fallback');
    expect(pick).toHaveBeenCalledTimes(2);
  });
});

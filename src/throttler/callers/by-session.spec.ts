import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { bySession } from './by-session.js';
import type { Caller } from '../../core/calls/caller.js';

const call = (request: unknown, cookie?: string): Caller =>
  ({ type: 'http', request, headers: { cookie }, remoteAddress: '192.0.2.1' }) as unknown as Caller;
const digestOf = (id: string) => createHash('sha256').update(id).digest('base64url');

describe('by session', () => {
  it.each([
    [
      'express-session',
      { session: { id: 'Ab-1_' }, sessionID: 'Ab-1_' },
      'theme=dark; connect.sid=s%3AAb-1_.sig',
      'Ab-1_',
    ],
    ['a session that was not saved yet', { sessionID: 'Ab-1_' }, 'connect.sid=s%3AAb-1_.sig', 'Ab-1_'],
    ['@fastify/session', { session: { sessionId: 'a+/b' } }, 'sessionId=a%2B%2Fb.sig', 'a+/b'],
  ])('goes by the digest of the id of %s', (_, request, cookie, id) => {
    expect(bySession()(call(request, cookie))).toEqual(['session', digestOf(id)]);
  });

  it('goes by the fallback for a session that was made for this request', () => {
    const request = { session: { id: 'new' }, sessionID: 'new' };
    expect(bySession()(call(request))).toEqual(['ip', '192.0.2.1']);
    expect(bySession()(call(request, 'connect.sid=s%3Aforged.sig'))).toEqual(['ip', '192.0.2.1']);
  });

  it('goes by the fallback where there is none', () => {
    for (const request of [
      undefined,
      {},
      { session: null },
      { session: {} },
      { session: { id: '' } },
      { session: { id: 7 } },
    ]) {
      expect(bySession({ fallback: () => 'nobody' })(call(request, 'connect.sid=7'))).toBe('nobody');
    }
  });

  it('goes by what is picked', () => {
    const tracker = bySession({
      pick: ({ headers }) => headers.cookie as string | undefined,
      fallback: () => 'nobody',
    });
    expect(tracker(call({}, 'mine'))).toEqual(['session', digestOf('mine')]);
    expect(tracker(call({}, ''))).toBe('nobody');
    expect(tracker(call({}))).toBe('nobody');
  });
});

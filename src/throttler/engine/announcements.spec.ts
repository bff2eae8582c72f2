import { describe, expect, it } from '@jest/globals';
import { RedisUnavailableError } from '../../core/errors/redis.errors.js';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import type { Cancel } from '../../core/time/clock.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { Announcements } from './announcements.js';

type Listener = (message: Buffer) => void;

const AWAY = new RedisUnavailableError('not-connected', { connection: 'default', mayHaveRun: false });

/** The part of a connection that subscriptions need, which says of each attempt whether it succeeds. */
function connectionWith(attempts: readonly ('fails' | 'succeeds')[]) {
  const listeners = new Map<string, Listener>();
  const gaps = new Set<() => void>();
  let attempt = 0;
  const subscriber = {
    onGap: (listener: () => void): Cancel => {
      gaps.add(listener);
      return () => gaps.delete(listener);
    },
    subscribe: (channel: string, listener: Listener): Promise<Cancel> => {
      if (attempts[attempt++] !== 'succeeds') return Promise.reject(AWAY);
      listeners.set(channel, listener);
      return Promise.resolve(() => listeners.delete(channel));
    },
  };
  const connection = { keyPrefix: 'app', subscriber, send: () => Promise.reject(AWAY) };
  return { connection: connection as unknown as RedisConnection, listeners, gaps, attempts: () => attempt };
}

function listening(attempts: readonly ('fails' | 'succeeds')[]) {
  const clock = new FakeClock();
  const { connection, ...rest } = connectionWith(attempts);
  const announcements = new Announcements(connection, clock);
  const heard: string[] = [];
  announcements.listen(
    (callerKey) => heard.push(callerKey),
    () => heard.push('all'),
  );
  const say = (message: string): void => rest.listeners.get('app:limit:forget')?.(Buffer.from(message));
  return { announcements, clock, heard, say, ...rest };
}

describe('Announcements', () => {
  it('pass on whom they are told of, and that some may have been missed', async () => {
    const { clock, heard, say, gaps } = listening(['succeeds']);
    await clock.advance('0ms');
    say('app:limit:{ü}');
    for (const gap of gaps) gap();
    expect(heard).toEqual(['app:limit:{ü}', 'all']);
  });

  it('go on trying to subscribe, once a second, and then take it that some were missed', async () => {
    const { clock, heard, say, attempts } = listening(['fails', 'fails', 'succeeds']);
    await clock.advance('999ms');
    expect(attempts()).toBe(1);
    await clock.advance('1s');
    expect(attempts()).toBe(2);
    expect(heard).toEqual([]);
    await clock.advance('1s');
    say('caller');
    expect(heard).toEqual(['all', 'caller']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('leave nothing behind when they are closed, whether subscribed, about to be, or waiting to try again', async () => {
    const subscribed = listening(['succeeds']);
    await subscribed.clock.advance('0ms');
    const waiting = listening(['fails', 'succeeds']);
    await waiting.clock.advance('0ms');
    const subscribing = listening(['succeeds']);
    const all = [subscribed, waiting, subscribing];
    for (const { announcements } of all) announcements.close();
    for (const { clock, listeners, gaps } of all) {
      await clock.advance('1m');
      expect([listeners.size, gaps.size, clock.pendingTimers]).toEqual([0, 0, 0]);
    }
    expect(waiting.attempts()).toBe(1);
  });

  it('do not fail when nobody can be told', async () => {
    await expect(listening(['fails']).announcements.tell('caller')).resolves.toBeUndefined();
  });
});

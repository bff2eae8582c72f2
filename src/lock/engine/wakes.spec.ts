import { describe, expect, it } from '@jest/globals';
import type { RedisConnection } from '../../core/redis/redis-connection.js';
import { FakeClock } from '../../testing/index.js';
import { Waiter } from './waiter.js';
import { Wakes } from './wakes.js';

const TOKEN = 'abcdefghijklmnopqrstuv';

function world() {
  const channels: string[] = [];
  const listeners = new Set<(message: Buffer) => void>();
  const gapListeners = new Set<() => void>();
  let isAway = false;
  let unknown = 0;
  const subscriber = {
    subscribe: async (channel: string, listener: (message: Buffer) => void): Promise<() => void> => {
      channels.push(channel);
      await Promise.resolve();
      if (isAway) throw new Error('Pub/Sub is away.');
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    state: 'live',
    onState: (): (() => void) => () => undefined,
    onGap: (listener: () => void): (() => void) => {
      gapListeners.add(listener);
      return () => gapListeners.delete(listener);
    },
  };
  const wakes = new Wakes({ keyPrefix: 'app', subscriber } as unknown as RedisConnection, () => (unknown += 1));
  const say = (message: string): void => listeners.forEach((listener) => listener(Buffer.from(message)));
  const clock = new FakeClock();
  const wait = (token: string, ms = 1_000) => {
    const waiter = new Waiter(clock, undefined);
    wakes.add(`${token}@${wakes.channel}`, waiter);
    return waiter.until(ms);
  };
  return {
    wakes,
    say,
    wait,
    clock,
    channels,
    listeners,
    gapListeners,
    setAway: (value: boolean) => (isAway = value),
    unknown: () => unknown,
  };
}

const tokenOf = (i: number): string => String(i).padStart(22, '0');

describe('wake-ups', () => {
  it('come by a channel that is under the prefix, and that nobody can guess', () => {
    const channels = [world().wakes.channel, world().wakes.channel];
    for (const channel of channels) expect(channel).toMatch(/^app:lock:wake:[\w-]{22}$/);
    expect(channels[0]).not.toBe(channels[1]);
  });

  it('come by one subscription, however many wait, made when somebody first waits', async () => {
    const { wakes, channels } = world();
    expect([wakes.isListening, channels]).toEqual([false, []]);
    expect(await Promise.all([wakes.listen(), wakes.listen()])).toEqual([true, true]);
    expect(await wakes.listen()).toBe(true);
    expect([wakes.isListening, channels]).toEqual([true, [wakes.channel]]);
  });

  it('are tried for again when Pub/Sub was away', async () => {
    const { wakes, setAway, channels } = world();
    setAway(true);
    expect([await wakes.listen(), wakes.isListening]).toEqual([false, false]);
    setAway(false);
    expect([await wakes.listen(), wakes.isListening, channels.length]).toEqual([true, true, 2]);
  });

  it('reach the one whom they are for', async () => {
    const { wakes, say, wait, clock } = world();
    await wakes.listen();
    const [one, other] = [wait(tokenOf(1)), wait(tokenOf(2))];
    say(`${tokenOf(2)}:1:1:1000`);
    expect(await other).toBe(true);
    await clock.advance('1s');
    expect(await one).toBe(false);
  });

  it('are kept for one who is about to wait, and given once', async () => {
    const { wakes, say, wait, clock } = world();
    await wakes.listen();
    say(`${TOKEN}:1:1:1000`);
    expect(await wait(TOKEN)).toBe(true);
    const again = wait(TOKEN);
    await clock.advance('1s');
    expect(await again).toBe(false);
  });

  it('are not kept without end', async () => {
    const { wakes, say, wait, clock } = world();
    await wakes.listen();
    for (let i = 0; i <= 1_024; i++) say(`${tokenOf(i)}:1:1:1000`);
    const first = wait(tokenOf(0));
    expect(await wait(tokenOf(1))).toBe(true);
    expect(await wait(tokenOf(1_024))).toBe(true);
    await clock.advance('1s');
    expect(await first).toBe(false);
  });

  it('tell somebody when they are for nobody who waits here', async () => {
    const { wakes, say, wait, clock, unknown } = world();
    await wakes.listen();
    const waiting = wait(TOKEN);
    say(`${TOKEN}:1:1:1000`);
    await waiting;
    expect(unknown()).toBe(0);
    wakes.remove(TOKEN);
    say(`${TOKEN}:1:1:1000`);
    say(`${TOKEN}:500`);
    expect([unknown(), clock.pendingTimers]).toEqual([2, 0]);
  });

  it('come to all when some may have been missed', async () => {
    const { wakes, wait, gapListeners } = world();
    await wakes.listen();
    const both = Promise.all([wait(tokenOf(1)), wait(tokenOf(2))]);
    gapListeners.forEach((listener) => listener());
    expect(await both).toEqual([true, true]);
  });

  it('come no more when it is closed, also when that is while it subscribes', async () => {
    for (const isSubscribing of [false, true]) {
      const { wakes, listeners, gapListeners } = world();
      const listening = wakes.listen();
      if (!isSubscribing) await listening;
      wakes.close();
      expect(await listening).toBe(!isSubscribing);
      expect([listeners.size, gapListeners.size]).toEqual([0, 0]);
    }
  });
});

describe('a waiter', () => {
  it('waits for its time, for a word, or for its signal, and leaves no timer', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const waiter = new Waiter(clock, controller.signal);
    const timed = waiter.until(500);
    await clock.advance('500ms');
    expect(await timed).toBe(false);
    const woken = waiter.until(500);
    waiter.wake();
    expect(await woken).toBe(true);
    const aborted = waiter.until(500);
    controller.abort();
    expect([await aborted, await waiter.until(500), clock.pendingTimers]).toEqual([true, true, 0]);
  });

  it('forgets no word that comes while it does not wait, and takes it once', async () => {
    const clock = new FakeClock();
    const waiter = new Waiter(clock, undefined);
    waiter.wake();
    waiter.wake();
    expect(await waiter.until(500)).toBe(true);
    const next = waiter.until(500);
    await clock.advance('500ms');
    expect(await next).toBe(false);
  });

  it('goes by what it was told last, though no longer than it meant to', async () => {
    const clock = new FakeClock();
    const waiter = new Waiter(clock, undefined);
    waiter.tell(100);
    const first = waiter.until(1_000);
    waiter.tell(300);
    await clock.advance('300ms');
    expect(clock.pendingTimers).toBe(1);
    await clock.advance('1ms');
    expect(await first).toBe(false);
    const second = waiter.until(1_000);
    waiter.tell(5_000);
    await clock.advance('1s');
    expect([await second, clock.pendingTimers]).toEqual([false, 0]);
  });
});

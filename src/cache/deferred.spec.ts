import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { newCacheCounters } from './cache-counters.js';
import { Deferred } from './deferred.js';

const RETRY_MS = 250;

/** A store that can be away, and what it was told of. */
class Recorder {
  readonly told: (readonly string[])[] = [];
  isAway = false;
  /** What it cannot be told of. */
  refuses: (key: string) => boolean = () => false;
  /** Where a call under way is to stand still. */
  gate: Promise<void> = Promise.resolve();

  readonly perform = async (keys: readonly string[]): Promise<void> => {
    this.told.push(keys);
    await this.gate;
    if (this.isAway || keys.some(this.refuses)) throw new Error('away');
  };
}

function deferred(): { recorder: Recorder; waiting: Deferred; counters: ReturnType<typeof newCacheCounters> } {
  const recorder = new Recorder();
  const counters = newCacheCounters();
  return { recorder, counters, waiting: new Deferred(recorder.perform, counters) };
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const keysUpTo = (count: number): string[] => Array.from({ length: count }, (_, i) => `key-${i}`);

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('Deferred', () => {
  it('distrusts a key until the store has confirmed that it is gone', async () => {
    const { recorder, waiting, counters } = deferred();
    recorder.isAway = true;
    waiting.add(['a']);
    expect(waiting.has('a')).toBe(true);
    expect(waiting.has('b')).toBe(false);
    await pass(3 * RETRY_MS);
    expect(recorder.told).toEqual([['a'], ['a'], ['a']]);
    expect(waiting.has('a')).toBe(true);
    recorder.isAway = false;
    await pass(RETRY_MS);
    expect(waiting.has('a')).toBe(false);
    expect(counters.evictionsDeferred).toBe(1);
  });

  it('asks for nothing more, and has no timer, once all is confirmed', async () => {
    const { recorder, waiting } = deferred();
    waiting.add(['a']);
    await pass(RETRY_MS);
    expect(recorder.told).toEqual([['a']]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('trusts a key again at once when something else has confirmed it, and does not tell the store of it', async () => {
    const { recorder, waiting } = deferred();
    waiting.add(['a', 'b']);
    waiting.settled(['a'], waiting.moment);
    expect(waiting.has('a')).toBe(false);
    await pass(RETRY_MS);
    expect(recorder.told).toEqual([['b']]);
  });

  it('does not take what was sent before a key was added for an answer to it', () => {
    const { waiting } = deferred();
    const { moment } = waiting;
    waiting.add(['a']);
    waiting.settled(['a'], moment);
    expect(waiting.has('a')).toBe(true);
  });

  it('does not take what was asked for before for an answer to what was asked for since', async () => {
    const { recorder, waiting } = deferred();
    let open = (): void => undefined;
    recorder.gate = new Promise((resolve) => (open = resolve));
    waiting.add(['a', 'b']);
    await pass(RETRY_MS);
    waiting.add(['a']);
    recorder.isAway = false;
    recorder.gate = new Promise((resolve) => setTimeout(resolve, 10));
    open();
    await pass(0);
    expect(waiting.has('a')).toBe(true);
    expect(waiting.has('b')).toBe(false);
    await pass(RETRY_MS);
    expect(recorder.told).toEqual([['a', 'b'], ['a']]);
    expect(waiting.has('a')).toBe(false);
  });

  it('sends what has gathered at once when the store is back, 500 keys at a time', async () => {
    const { recorder, waiting } = deferred();
    waiting.add(keysUpTo(1_200));
    await pass(RETRY_MS);
    expect(recorder.told.map((keys) => keys.length)).toEqual([500, 500, 200]);
    expect(keysUpTo(1_200).some((key) => waiting.has(key))).toBe(false);
  });

  it('tells of every key that can be told of, however many others cannot, and distrusts those on', async () => {
    const { recorder, waiting } = deferred();
    const lies = (key: string): boolean => Number(key.slice(4)) % 3 === 0;
    recorder.refuses = lies;
    waiting.add(keysUpTo(1_700));
    await pass(RETRY_MS);
    expect(keysUpTo(1_700).filter((key) => waiting.has(key))).toEqual(keysUpTo(1_700).filter(lies));
    recorder.refuses = () => false;
    await pass(RETRY_MS);
    expect(keysUpTo(1_700).some((key) => waiting.has(key))).toBe(false);
  });

  it('gives every key its turn, though more than a round of those before it fail each time', async () => {
    const { recorder, waiting } = deferred();
    recorder.refuses = (key) => key !== 'last';
    waiting.add([...keysUpTo(1_200), 'last']);
    await pass(3 * RETRY_MS);
    expect(waiting.has('last')).toBe(false);
    expect(keysUpTo(1_200).every((key) => waiting.has(key))).toBe(true);
  });

  it('asks an absent store about one round of keys at a time', async () => {
    const { recorder, waiting } = deferred();
    recorder.isAway = true;
    waiting.add(keysUpTo(2_000));
    await pass(RETRY_MS);
    expect(new Set(recorder.told.flat()).size).toBe(500);
  });

  it('remembers up to 100,000 keys, gives up the oldest first, and counts it', () => {
    const { waiting, counters } = deferred();
    waiting.add(keysUpTo(100_000));
    waiting.add(['key-0', 'one more']);
    expect(waiting.has('key-1')).toBe(false);
    expect(waiting.has('key-0')).toBe(true);
    expect(waiting.has('one more')).toBe(true);
    expect(counters.evictionsLost).toBe(1);
  });

  it('makes one last attempt when it is stopped, counts what it gives up, and then has forgotten', async () => {
    const { recorder, waiting, counters } = deferred();
    recorder.isAway = true;
    waiting.add(['a']);
    await waiting.stop();
    expect(recorder.told).toEqual([['a']]);
    expect(waiting.has('a')).toBe(false);
    expect(counters.evictionsLost).toBe(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('tells of everything when it is stopped, and counts what the store refuses', async () => {
    const { recorder, waiting, counters } = deferred();
    recorder.refuses = (key) => Number(key.slice(4)) < 600;
    waiting.add(keysUpTo(1_200));
    await waiting.stop();
    expect(new Set(recorder.told.flat()).size).toBe(1_200);
    expect(counters.evictionsLost).toBe(600);
  });

  it('begins no round more than two seconds after the stop, though the store still answers, slowly', async () => {
    const { recorder, waiting, counters } = deferred();
    waiting.add(keysUpTo(5_000));
    const stopped = jest.fn();
    const slowly = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 900));
    Object.defineProperty(recorder, 'gate', { get: slowly });
    void waiting.stop().then(stopped);
    await pass(3_000);
    expect(stopped).toHaveBeenCalled();
    expect(recorder.told).toHaveLength(3);
    expect(counters.evictionsLost).toBe(3_500);
  });

  it('waits for the round under way when it is stopped, and begins no other', async () => {
    const { recorder, waiting } = deferred();
    recorder.isAway = true;
    let open = (): void => undefined;
    recorder.gate = new Promise((resolve) => (open = resolve));
    waiting.add(['a']);
    await pass(RETRY_MS);
    const stopped = jest.fn();
    const stopping = waiting.stop().then(stopped);
    await pass(RETRY_MS);
    expect(stopped).not.toHaveBeenCalled();
    expect(recorder.told).toHaveLength(1);
    open();
    await stopping;
    expect(recorder.told).toEqual([['a'], ['a']]);
    waiting.add(['b']);
    await pass(2 * RETRY_MS);
    expect(recorder.told).toHaveLength(2);
  });
});

import { describe, expect, it, jest } from '@jest/globals';
import { SingleFlight } from './single-flight.js';

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

describe('SingleFlight', () => {
  it('lets callers of one key share one piece of work, and callers of another not', async () => {
    const flights = new SingleFlight<string>();
    const work = jest.fn(async () => 'value');
    expect(await Promise.all([flights.run('a', work), flights.run('a', work), flights.run('b', work)])).toEqual(
      Array(3).fill('value'),
    );
    expect(work).toHaveBeenCalledTimes(2);
  });

  it('starts anew once the work is done, whether it succeeded or failed', async () => {
    const flights = new SingleFlight<string>();
    await expect(flights.run('a', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(await flights.run('a', async () => 'first')).toBe('first');
    expect(await flights.run('a', async () => 'second')).toBe('second');
  });

  it('hands out a delivered value until it has been stored', async () => {
    const flights = new SingleFlight<string>();
    const stored = deferred<null>();
    await flights.run('a', async (flight) => {
      flight.deliver('first', stored.promise);
      return 'first';
    });
    expect(await flights.run('a', async () => 'second')).toBe('first');
    expect(flights.delivered('a')).toMatchObject({ value: 'first' });
    stored.resolve(null);
    await stored.promise;
    await Promise.resolve();
    expect(flights.delivered('a')).toBeUndefined();
    expect(await flights.run('a', async () => 'second')).toBe('second');
  });

  it('lets nobody join what was forgotten, tells the work, and leaves a later flight alone', async () => {
    const flights = new SingleFlight<string>();
    const old = deferred<string>();
    let wasCurrent: boolean | undefined;
    const first = flights.run('a', async (flight) => {
      const value = await old.promise;
      wasCurrent = flight.isCurrent;
      return value;
    });
    flights.forget('a');
    const fresh = deferred<string>();
    const second = flights.run('a', () => fresh.promise);
    old.resolve('old');
    expect(await first).toBe('old');
    expect(wasCurrent).toBe(false);
    const third = flights.run('a', async () => 'never run');
    fresh.resolve('new');
    expect(await Promise.all([second, third])).toEqual(['new', 'new']);
  });
});

import { describe, expect, it, jest } from '@jest/globals';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { BatchLoad } from './batch-load.js';

const upper = (keys: readonly string[]): string[] => keys.map((key) => key.toUpperCase());

describe('BatchLoad', () => {
  it('loads all missing keys with one call, in their order, whichever turned out first to be missing', async () => {
    const loadMany = jest.fn(upper);
    const batch = new BatchLoad(loadMany, 3);
    const [a, b, c] = [batch.place('a'), batch.place('b'), batch.place('c')];
    expect(await Promise.all([c.load(), a.load(), b.load()])).toEqual(['C', 'A', 'B']);
    expect(loadMany.mock.calls).toEqual([[['a', 'b', 'c']]]);
  });

  it('waits until it is known of every key whether it is missing', async () => {
    const loadMany = jest.fn(upper);
    const batch = new BatchLoad(loadMany, 3);
    const [a, b, c] = ['a', 'b', 'c'].map((key) => batch.place(key));
    const loaded = a?.load();
    b?.settled();
    expect(loadMany).not.toHaveBeenCalled();
    c?.settled();
    expect(await loaded).toBe('A');
    expect(loadMany).toHaveBeenCalledTimes(1);
  });

  it('does not wait for keys that somebody else loads', async () => {
    const batch = new BatchLoad(upper, 2);
    const [a, b] = ['a', 'b'].map((key) => batch.place(key));
    const loaded = a?.load();
    b?.waits();
    expect(await loaded).toBe('A');
  });

  it('loads by a call of its own what somebody else gave up later', async () => {
    const loadMany = jest.fn(upper);
    const batch = new BatchLoad(loadMany, 2);
    const [a, b] = ['a', 'b'].map((key) => batch.place(key));
    const first = a?.load();
    b?.waits();
    await first;
    expect(await b?.load()).toBe('B');
    expect(loadMany.mock.calls).toEqual([[['a']], [['b']]]);
  });

  it('loads by one call what turns up together later, in its order', async () => {
    const loadMany = jest.fn(upper);
    const batch = new BatchLoad(loadMany, 3);
    const [a, b, c] = [batch.place('a'), batch.place('b'), batch.place('c')];
    for (const place of [a, b, c]) place.settled();
    const loads = [c.load(), Promise.resolve().then(() => a.load())];
    expect(loadMany).not.toHaveBeenCalled();
    expect(await Promise.all(loads)).toEqual(['C', 'A']);
    expect(await b.load()).toBe('B');
    expect(loadMany.mock.calls).toEqual([[['a', 'c']], [['b']]]);
  });

  it('counts a key once, however much is said of it', () => {
    const loadMany = jest.fn(upper);
    const batch = new BatchLoad(loadMany, 2);
    const [a, b] = ['a', 'b'].map((key) => batch.place(key));
    void a?.load();
    a?.waits();
    a?.settled();
    expect(loadMany).not.toHaveBeenCalled();
    b?.settled();
    expect(loadMany).toHaveBeenCalledTimes(1);
  });

  it('is not called when nothing is missing', () => {
    const loadMany = jest.fn(upper);
    const batch = new BatchLoad(loadMany, 1);
    batch.place('a').settled();
    expect(loadMany).not.toHaveBeenCalled();
  });

  it('passes on undefined for what there is not', async () => {
    const batch = new BatchLoad<string, string>(() => [undefined], 1);
    expect(await batch.place('a').load()).toBeUndefined();
  });

  it.each<[string, () => never[] | Promise<never[]>]>([
    ['rejects', () => Promise.reject(new RangeError('down'))],
    [
      'throws',
      () => {
        throw new RangeError('down');
      },
    ],
  ])('fails every key as the loader does when it %s', async (_how, loadMany) => {
    const batch = new BatchLoad<string, string>(loadMany, 2);
    const loads = ['a', 'b'].map((key) => batch.place(key).load());
    const outcomes = await Promise.allSettled(loads);
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual([
      new RangeError('down'),
      new RangeError('down'),
    ]);
  });

  it.each<[string, unknown]>([
    ['too few', ['A']],
    ['too many', ['A', 'B', 'C']],
    ['no list', new Map([['a', 'A']])],
    ['nothing', undefined],
  ])('refuses %s values rather than give a key the value of another', async (_name, values) => {
    const batch = new BatchLoad<string, string>(() => values as string[], 2);
    const loads = ['a', 'b'].map((key) => batch.place(key).load());
    for (const load of loads) await expect(load).rejects.toThrow(ConfigurationError);
    await expect(loads[0]).rejects.toThrow('a list with a value for each of the 2 keys');
  });
});

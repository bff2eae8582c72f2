import { describe, expect, it } from '@jest/globals';
import { TickBatcher } from './tick-batcher.js';

const untilSent = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('TickBatcher', () => {
  it('sends the items of one tick together, a batch for each group, in their order', async () => {
    const sent: (readonly string[])[] = [];
    const batches = new TickBatcher<string>(64, (items) => sent.push(items));
    for (const item of ['a1', 'b1', 'a2', 'b2', 'a3']) batches.add(item, item.charCodeAt(0));
    await untilSent();
    expect(sent).toEqual([
      ['a1', 'a2', 'a3'],
      ['b1', 'b2'],
    ]);
  });

  it('sends nothing before the end of the tick, and then at once', async () => {
    const sent: (readonly string[])[] = [];
    let hasTurned = false;
    const batches = new TickBatcher<string>(64, (items) => {
      sent.push(items);
      expect(hasTurned).toBe(false);
    });
    setImmediate(() => (hasTurned = true));
    batches.add('a', 0);
    expect(sent).toEqual([]);
    await untilSent();
    expect(sent).toEqual([['a']]);
  });

  it('begins anew with the next tick', async () => {
    const sent: (readonly string[])[] = [];
    const batches = new TickBatcher<string>(64, (items) => sent.push(items));
    batches.add('a1', 0);
    await untilSent();
    batches.add('a2', 0);
    await untilSent();
    expect(sent).toEqual([['a1'], ['a2']]);
  });

  it('sends no more at once than it was told, so that no script holds the server up', async () => {
    const sent: (readonly number[])[] = [];
    const batches = new TickBatcher<number>(64, (items) => sent.push(items));
    const items = Array.from({ length: 150 }, (_, i) => i);
    for (const item of items) batches.add(item, 0);
    await untilSent();
    expect(sent.map(({ length }) => length)).toEqual([64, 64, 22]);
    expect(sent.flat()).toEqual(items);
  });
});

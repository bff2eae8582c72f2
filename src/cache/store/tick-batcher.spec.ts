import { describe, expect, it } from '@jest/globals';
import { TickBatcher } from './tick-batcher.js';

const groupOf = (item: string): number => item.charCodeAt(0);
const untilSent = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('TickBatcher', () => {
  it('sends the items of one tick together, a batch for each group, in their order', async () => {
    const sent: (readonly string[])[] = [];
    const batches = new TickBatcher(groupOf, (items) => sent.push(items));
    for (const item of ['a1', 'b1', 'a2', 'b2', 'a3']) batches.add(item);
    await untilSent();
    expect(sent).toEqual([
      ['a1', 'a2', 'a3'],
      ['b1', 'b2'],
    ]);
  });

  it('sends nothing before the end of the tick, and then at once', async () => {
    const sent: (readonly string[])[] = [];
    let hasTurned = false;
    const batches = new TickBatcher(groupOf, (items) => {
      sent.push(items);
      expect(hasTurned).toBe(false);
    });
    setImmediate(() => (hasTurned = true));
    batches.add('a');
    expect(sent).toEqual([]);
    await untilSent();
    expect(sent).toEqual([['a']]);
  });

  it('begins anew with the next tick', async () => {
    const sent: (readonly string[])[] = [];
    const batches = new TickBatcher(groupOf, (items) => sent.push(items));
    batches.add('a1');
    await untilSent();
    batches.add('a2');
    await untilSent();
    expect(sent).toEqual([['a1'], ['a2']]);
  });

  it('sends no more at once than it was told, so that no script holds the server up', async () => {
    const sent: (readonly number[])[] = [];
    const batches = new TickBatcher<number>(
      () => 0,
      (items) => sent.push(items),
    );
    const items = Array.from({ length: 150 }, (_, i) => i);
    for (const item of items) batches.add(item);
    await untilSent();
    expect(sent.map(({ length }) => length)).toEqual([64, 64, 22]);
    expect(sent.flat()).toEqual(items);
  });
});

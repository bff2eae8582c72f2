import { setImmediate as endOfTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { TurnBatcher } from './turn-batcher.js';

const nextTick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

describe('TurnBatcher', () => {
  let sent: { readonly items: readonly number[]; readonly group: number }[];
  let batcher: TurnBatcher<number>;

  beforeEach(async () => {
    // A turn that nothing was added to yet.
    await endOfTurn();
    sent = [];
    batcher = new TurnBatcher(
      (item) => Math.floor(item / 1_000),
      (items, group) => sent.push({ items: [...items], group }),
    );
  });

  it('sends what is added in one tick together, in its order, when the tick ends', async () => {
    for (const item of [1, 2, 3]) batcher.add(item);
    expect(sent).toEqual([]);
    await nextTick();
    expect(sent).toEqual([{ items: [1, 2, 3], group: 0 }]);
  });

  it('sends what later ticks of the turn add together, when the turn ends', async () => {
    batcher.add(1);
    await nextTick();
    batcher.add(2);
    await nextTick();
    batcher.add(3);
    await nextTick();
    expect(sent).toHaveLength(1);
    await endOfTurn();
    expect(sent.slice(1)).toEqual([{ items: [2, 3], group: 0 }]);
  });

  it('sends groups apart', async () => {
    for (const item of [1, 1_001, 2, 1_002]) batcher.add(item);
    await nextTick();
    expect(sent).toEqual([
      { items: [1, 2], group: 0 },
      { items: [1_001, 1_002], group: 1 },
    ]);
  });

  it('sends sixteen of a group at once, and the rest in its time', async () => {
    for (let item = 0; item < 35; item++) batcher.add(item);
    expect(sent.map(({ items }) => items.length)).toEqual([16, 16]);
    await nextTick();
    expect(sent.map(({ items }) => items.length)).toEqual([16, 16, 3]);
    expect(sent.flatMap(({ items }) => items)).toEqual(Array.from({ length: 35 }, (_, i) => i));
  });

  it('sends everything exactly once, however it comes, and leaves nothing for later', async () => {
    const added: number[] = [];
    let next = 0;
    for (const burst of [1, 20, 0, 3, 16, 15, 1, 33]) {
      for (let i = 0; i < burst; i++) {
        const item = (next % 3) * 1_000 + next;
        next += 1;
        added.push(item);
        batcher.add(item);
      }
      await (burst % 2 === 0 ? nextTick() : endOfTurn());
    }
    await endOfTurn();
    const numeric = (a: number, b: number): number => a - b;
    expect(sent.flatMap(({ items }) => items).sort(numeric)).toEqual(added.sort(numeric));
    expect(sent.every(({ items }) => items.length > 0 && items.length <= 16)).toBe(true);
  });

  it('lets an item be added while others are being sent', async () => {
    const seen: number[][] = [];
    const again: TurnBatcher<number> = new TurnBatcher(
      () => 0,
      (items) => {
        seen.push([...items]);
        if (items[0] === 1) again.add(2);
      },
    );
    again.add(1);
    await endOfTurn();
    await endOfTurn();
    expect(seen).toEqual([[1], [2]]);
  });
});

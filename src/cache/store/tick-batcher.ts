import { byGroup } from './by-group.js';

/** Items that leave together at most. */
const MOST_ITEMS = 64;

/**
 * Gathers the items of one tick, and sends them at the end of the tick, group by group and with no added delay. The list of a tick is made anew
 * each time: a collection that is emptied and filled again keeps what it held from the garbage collector.
 */
export class TickBatcher<Item> {
  #open: Item[] | null = null;

  constructor(
    private readonly groupOf: (item: Item) => number,
    private readonly send: (items: readonly Item[]) => void,
  ) {}

  add(item: Item): void {
    if (this.#open === null) {
      this.#open = [];
      process.nextTick(this.#flush);
    }
    this.#open.push(item);
  }

  readonly #flush = (): void => {
    const items = this.#open ?? [];
    this.#open = null;
    for (const batch of byGroup(items, this.groupOf, MOST_ITEMS)) this.send(batch);
  };
}

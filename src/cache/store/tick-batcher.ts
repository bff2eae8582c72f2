/** Items of one group that leave together. */
interface Batch<Item> {
  readonly group: number;
  readonly items: Item[];
}

/**
 * Gathers the items of one tick by group, and sends each group at the end of the tick, with no added delay. The batches of a tick are made anew
 * each time: a collection that is emptied and filled again keeps what it held from the garbage collector.
 */
export class TickBatcher<Item> {
  #open: Batch<Item>[] | null = null;

  /** No batch is longer than `longest`. */
  constructor(
    private readonly longest: number,
    private readonly send: (items: readonly Item[]) => void,
  ) {}

  add(item: Item, group: number): void {
    this.#batch(group).items.push(item);
  }

  #batch(group: number): Batch<Item> {
    if (this.#open === null) {
      this.#open = [];
      process.nextTick(this.#flush);
    }
    // From the end, where the batch of the same group stands when there is but one server.
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const batch = this.#open[i] as Batch<Item>;
      if (batch.group === group && batch.items.length < this.longest) return batch;
    }
    const batch: Batch<Item> = { group, items: [] };
    this.#open.push(batch);
    return batch;
  }

  readonly #flush = (): void => {
    const open = this.#open ?? [];
    this.#open = null;
    for (const { items } of open) this.send(items);
  };
}

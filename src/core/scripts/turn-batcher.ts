/** So many items leave at once, without waiting for the turn's end: the server works while this process does. */
const ENOUGH_ITEMS = 16;

/**
 * Gathers the items of one turn of the event loop. The first ones leave at the end of their tick, later ones when they are enough, and else at the end of
 * the turn, since no reply is read before it.
 */
export class TurnBatcher<Item> {
  #open: { readonly group: number; readonly items: Item[] }[] = [];
  #isTickOpen = false;
  #isTurnOpen = false;

  constructor(
    private readonly groupOf: (item: Item) => number,
    private readonly send: (items: readonly Item[], group: number) => void,
  ) {}

  add(item: Item): void {
    const group = this.groupOf(item);
    let batch = this.#open.find((open) => open.group === group);
    if (batch === undefined) {
      batch = { group, items: [] };
      this.#open.push(batch);
    }
    batch.items.push(item);
    if (batch.items.length === ENOUGH_ITEMS) {
      this.#open = this.#open.filter((open) => open !== batch);
      this.send(batch.items, group);
    }
    if (!this.#isTurnOpen && !this.#isTickOpen) {
      this.#isTickOpen = true;
      process.nextTick(this.#endTick);
    }
  }

  readonly #endTick = (): void => {
    this.#isTickOpen = false;
    this.#isTurnOpen = true;
    setImmediate(this.#endTurn);
    this.#flush();
  };

  readonly #endTurn = (): void => {
    this.#isTurnOpen = false;
    this.#flush();
  };

  #flush(): void {
    const open = this.#open;
    this.#open = [];
    for (const { items, group } of open) this.send(items, group);
  }
}

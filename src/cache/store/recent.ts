/** The strings that were added last: at least `count` of them, and at most twice as many. In two generations, which costs less than an order of use. */
export class Recent {
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(private readonly count: number) {}

  has(text: string): boolean {
    return this.#young.has(text) || this.#old.has(text);
  }

  add(text: string): void {
    if (this.#young.has(text)) return;
    if (this.#young.size === this.count) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(text);
  }

  delete(text: string): void {
    this.#young.delete(text);
    this.#old.delete(text);
  }
}

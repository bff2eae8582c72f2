/** After so many additions, and as many for each entry that is there, the map is made anew. */
const FRESH_FOR = 256;

/**
 * A map for what comes and goes: requests under way, say.
 *
 * A `Map` that lives long is no place for that. Now and then it builds its table anew, and V8 links the old table to the new one; one that has grown old keeps all
 * later ones, with what was in them, from the young collector until a full collection. So this one takes a new `Map` every so often, to which no link leads.
 */
export class InFlight<Key, Value> {
  #entries = new Map<Key, Value>();
  #freshFor = FRESH_FOR;

  get size(): number {
    return this.#entries.size;
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  set(key: Key, value: Value): void {
    this.#freshFor -= 1;
    if (this.#freshFor < 0) {
      this.#entries = new Map(this.#entries);
      this.#freshFor = Math.max(FRESH_FOR, this.#entries.size);
    }
    this.#entries.set(key, value);
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }

  /** What is there now: not what comes or goes meanwhile. */
  entries(): readonly (readonly [Key, Value])[] {
    return [...this.#entries];
  }

  clear(): void {
    this.#entries = new Map();
  }
}

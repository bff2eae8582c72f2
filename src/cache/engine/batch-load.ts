import { ConfigurationError } from '../../core/errors/configuration.error.js';

/** Produces the values of several keys, in their order, which is that of the call; `undefined` for what there is not. */
export type BatchLoader<Key, Value> = (
  keys: readonly Key[],
) => readonly (Value | undefined)[] | Promise<readonly (Value | undefined)[]>;

interface Wanted<Key, Value> {
  readonly key: Key;
  /** Where it stands among the keys. */
  readonly index: number;
  readonly resolve: (value: Value | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** What one key has to do with a {@link BatchLoad}. Each may be called at any time; the first call says what came of looking for the key. */
export interface BatchPlace<Value> {
  /** It is ours to load. */
  readonly load: () => Promise<Value | undefined>;
  /** Somebody else loads it: the others must not wait for that, or two batches might wait for each other. */
  readonly waits: () => void;
  /** It was found, or failed. */
  readonly settled: () => void;
}

/**
 * Loads all missing keys of a batch with one call: as soon as it is known of every key whether it is missing. Keys that turn out later to be ours to load,
 * because somebody else gave them up, or in the background after they were served stale, are loaded by further calls: one for those that turn up together.
 */
export class BatchLoad<Key, Value> {
  #wanted: Wanted<Key, Value>[] = [];
  #unknown: number;
  #places = 0;
  #isGathering = false;

  constructor(
    private readonly loadMany: BatchLoader<Key, Value>,
    keys: number,
  ) {
    this.#unknown = keys;
  }

  /** To be called for the keys in their order. */
  place(key: Key): BatchPlace<Value> {
    const index = this.#places;
    this.#places += 1;
    let isKnown = false;
    const know = (): void => {
      if (isKnown) return;
      isKnown = true;
      this.#unknown -= 1;
      if (this.#unknown === 0) this.#dispatch();
    };
    return {
      load: () =>
        new Promise((resolve, reject) => {
          this.#wanted.push({ key, index, resolve, reject });
          if (this.#unknown === 0) this.#gather();
          know();
        }),
      waits: know,
      settled: know,
    };
  }

  /** Nobody tells any more how many are to come: the replies that say so arrive together, as a rule. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    setImmediate(() => {
      this.#isGathering = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    // On a cluster they became known node by node.
    const wanted = this.#wanted.sort((one, other) => one.index - other.index);
    this.#wanted = [];
    if (wanted.length > 0) void this.#load(wanted);
  }

  async #load(wanted: readonly Wanted<Key, Value>[]): Promise<void> {
    try {
      const values = await this.loadMany(wanted.map(({ key }) => key));
      if (!Array.isArray(values) || values.length !== wanted.length) {
        throw new ConfigurationError(
          `A batch loader must return a list with a value for each of the ${wanted.length} keys that it was given, in their order.`,
        );
      }
      wanted.forEach(({ resolve }, i) => resolve((values as readonly (Value | undefined)[])[i]));
    } catch (error) {
      for (const { reject } of wanted) reject(error);
    }
  }
}

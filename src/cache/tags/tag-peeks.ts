import type { EntryStore } from '../store/entry-store.js';

/** One key that is being asked for in this tick. */
interface Peek {
  readonly result: Promise<string | undefined>;
  readonly resolve: (token: string | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Asks for each token once a tick, however many readers want it: the tags of a page's entries are the same ones, as a rule. */
export class TagPeeks {
  #open: Map<string, Peek> | null = null;

  constructor(private readonly store: Pick<EntryStore, 'peekTags'>) {}

  /** The token as it is at the end of this tick or later. */
  peek(key: string): Promise<string | undefined> {
    if (this.#open === null) {
      this.#open = new Map();
      process.nextTick(this.#flush);
    }
    let peek = this.#open.get(key);
    if (peek === undefined) {
      peek = newPeek();
      this.#open.set(key, peek);
    }
    return peek.result;
  }

  readonly #flush = (): void => {
    const open = this.#open ?? new Map<string, Peek>();
    this.#open = null;
    void this.#ask([...open.keys()], [...open.values()]);
  };

  async #ask(keys: readonly string[], peeks: readonly Peek[]): Promise<void> {
    try {
      const tokens = await this.store.peekTags(keys);
      peeks.forEach(({ resolve }, i) => resolve(tokens[i]));
    } catch (error) {
      for (const { reject } of peeks) reject(error);
    }
  }
}

function newPeek(): Peek {
  let resolve: Peek['resolve'] = () => undefined;
  let reject: Peek['reject'] = () => undefined;
  const result = new Promise<string | undefined>((onToken, onError) => {
    resolve = onToken;
    reject = onError;
  });
  return { result, resolve, reject };
}

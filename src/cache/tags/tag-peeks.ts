import type { EntryStore } from '../store/entry-store.js';
import type { KnownTag } from './known-tag.js';

/** Tokens that were asked for, by key; undefined where a tag has none. */
export type AskedTags = ReadonlyMap<string, KnownTag | undefined>;

/** What is asked for in one tick. */
interface Batch {
  readonly clocks: Set<string>;
  readonly tags: Set<string>;
  readonly asked: Promise<AskedTags>;
}

/** Learns what was asked for. */
export interface TagLearner {
  /** Called before the question is sent. What it returns is called with the answer, token by token, and with undefined when there is none. */
  begin(tags: readonly string[]): (tokens: readonly (string | undefined)[] | null) => AskedTags;
  clock(key: string, clockUs: number): void;
}

/** Asks for tokens once a tick, however many readers want them: the tags of a page's entries are the same ones, as a rule. */
export class TagPeeks {
  #open: Batch | null = null;

  constructor(
    private readonly store: Pick<EntryStore, 'peekTags'>,
    private readonly learner: TagLearner,
  ) {}

  /** The tokens as they are at the end of this tick or later, among those that others asked for in it. */
  ask(clockKey: string, tags: readonly string[]): Promise<AskedTags> {
    const batch = (this.#open ??= this.#newBatch());
    batch.clocks.add(clockKey);
    for (const tag of tags) batch.tags.add(tag);
    return batch.asked;
  }

  #newBatch(): Batch {
    const clocks = new Set<string>();
    const tags = new Set<string>();
    const asked = new Promise<AskedTags>((resolve, reject) => {
      process.nextTick(() => {
        this.#open = null;
        this.#send([...clocks], [...tags]).then(resolve, reject);
      });
    });
    return { clocks, tags, asked };
  }

  async #send(clocks: readonly string[], tags: readonly string[]): Promise<AskedTags> {
    const learn = this.learner.begin(tags);
    try {
      const found = await this.store.peekTags([...clocks, ...tags]);
      clocks.forEach((key, i) => this.learner.clock(key, Number(found[i] ?? 0)));
      return learn(found.slice(clocks.length));
    } catch (error) {
      learn(null);
      throw error;
    }
  }
}

import type { TagToken } from '../entry/entry-format.js';
import type { LoadMark } from '../tags/known-tag.js';

/** What a load brought. */
export class Loaded {
  constructor(
    /** The value for one caller, as a later hit will give it; the loader's own when it cannot be encoded. */
    readonly hand: () => unknown,
    /**
     * The tags of the value, with the tokens that they had before the load. Null when one was invalidated meanwhile: then those who came after the
     * invalidation must not be given the value. Undefined when it has none.
     */
    readonly tags: Promise<readonly TagToken[] | null> | undefined,
    /** Whether it is to be stored. */
    readonly isKept: boolean,
  ) {}
}

/** What is known of a load when it begins. */
export class LoadBeginning {
  constructor(
    /** By the monotonic clock. */
    readonly startedMs: number,
    readonly mark: LoadMark,
    /** The number of the latest eviction. */
    readonly evictions: number,
  ) {}
}

/** A load that callers can join. */
export class RunningLoad {
  #isDone = false;
  #joined: Promise<Loaded | null> | undefined;
  #giveUp: () => void = ignoreSinceNobodyJoined;

  constructor(
    /** Settles as the loader does, for whoever began it; for those who join see {@link join}. */
    readonly result: Promise<Loaded>,
    readonly beginning: LoadBeginning,
  ) {
    const done = (): void => void (this.#isDone = true);
    result.then(done, done);
  }

  /** Whether the loader has settled. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Whether others in this process wait for it. */
  get isAwaited(): boolean {
    return this.#joined !== undefined;
  }

  /** What it brings, for those who did not begin it. Null when it takes so long that they had better look again: it may never end. */
  join(): Promise<Loaded | null> {
    this.#joined ??= new Promise((resolve, reject) => {
      this.#giveUp = () => resolve(null);
      this.result.then(resolve, reject);
    });
    return this.#joined;
  }

  /** It takes too long: those who have joined look again. */
  giveUp(): void {
    this.#giveUp();
  }
}

function ignoreSinceNobodyJoined(): void {
  // Whoever began it waits for its end.
}

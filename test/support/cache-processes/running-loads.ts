import { nowUs } from '../job-process.js';

interface RunningLoad {
  readonly names: readonly string[];
  readonly beganUs: number;
}

/** The loads of this process that somebody may still be given the values of. */
export class RunningLoads {
  readonly #running = new Set<RunningLoad>();

  /** Runs a load of these names. */
  async run<T>(names: readonly string[], load: () => Promise<T>): Promise<T> {
    const running = { names, beganUs: nowUs() };
    this.#running.add(running);
    try {
      return await load();
    } finally {
      // By the next turn, nobody can join it any more.
      setImmediate(() => this.#running.delete(running));
    }
  }

  /** When the oldest load of the name began; the given moment when there is none. */
  oldestUs(name: string, otherwiseUs: number): number {
    let oldestUs = otherwiseUs;
    for (const { names, beganUs } of this.#running) if (names.includes(name)) oldestUs = Math.min(oldestUs, beganUs);
    return oldestUs;
  }
}

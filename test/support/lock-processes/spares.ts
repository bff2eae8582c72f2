import { LockProcess } from './lock-process.js';

/** Keeps a process ready for one that is killed, as starting one takes long. */
export class Spares {
  readonly #all = new Set<LockProcess>();
  #next: Promise<LockProcess> | undefined;

  /** Starts the first ones. */
  async start(count: number): Promise<readonly LockProcess[]> {
    const started = await LockProcess.start(count);
    for (const process of started) this.#all.add(process);
    return started;
  }

  /** One that is ready. @param isLast no other will be wanted */
  async take(isLast: boolean): Promise<LockProcess> {
    const next = this.#next ?? this.#startOne();
    this.#next = undefined;
    const process = await next;
    if (!isLast) this.prepare();
    return process;
  }

  prepare(): void {
    this.#next ??= this.#startOne();
    // It is told of where it is taken.
    this.#next.catch(() => undefined);
  }

  /** Kills it. */
  async kill(process: LockProcess): Promise<void> {
    await process.kill();
    this.#all.delete(process);
  }

  /** Kills all that are left. */
  async close(): Promise<void> {
    await this.#next?.catch(() => undefined);
    await Promise.all([...this.#all].map((process) => this.kill(process)));
  }

  async #startOne(): Promise<LockProcess> {
    const [process] = (await this.start(1)) as [LockProcess];
    return process;
  }
}

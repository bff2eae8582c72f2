import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../../src/testing/index.js';
import type { FromChild, JobName, Jobs, ToChild } from './protocol.js';

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));
const TYPESCRIPT = fileURLToPath(new URL('../typescript.js', import.meta.url));

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A child process with a cache, as its parent sees it. */
export class CacheProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  #output = '';
  #ready = false;
  #hangs = false;
  #jobs = 0;

  constructor() {
    this.#child = fork(CHILD, {
      execArgv: ['--import', TYPESCRIPT],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#ended = once(this.#child, 'exit').then(() => this.#fail());
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    }
    this.#child.on('message', (message: FromChild) => this.#hear(message));
  }

  /** Starts that many, and waits until all are there. */
  static async start(count: number): Promise<readonly CacheProcess[]> {
    const processes = Array.from({ length: count }, () => new CacheProcess());
    await Promise.all(processes.map((process) => process.#until(() => process.#ready, 'ready')));
    return processes;
  }

  /** Does a job, and resolves with its answer. Rejects when it fails, or the process ends. */
  do<Name extends JobName>(job: Name, given: Jobs[Name]['given']): Promise<Jobs[Name]['answer']> {
    this.#jobs += 1;
    const message: ToChild = { id: this.#jobs, job, given };
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(message.id, { resolve, reject });
      this.#child.send(message);
    }) as Promise<Jobs[Name]['answer']>;
  }

  /** Resolves when the loader that was told to hang has begun. */
  untilItHangs(): Promise<void> {
    return this.#until(() => this.#hangs, 'hanging');
  }

  /** Lets go of it. Rejects when it does not end by itself: then it has left a timer or a connection open. */
  async end(): Promise<void> {
    this.#child.disconnect();
    await this.#until(() => this.#child.exitCode !== null, 'gone');
  }

  /** kill -9: nothing in the process runs any more. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #hear(message: FromChild): void {
    if ('ready' in message) this.#ready = true;
    else if ('hangs' in message) this.#hangs = true;
    else {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if ('answer' in message) waiting?.resolve(message.answer);
      else waiting?.reject(new Error(`In the child: ${message.error}`));
    }
  }

  #fail(): void {
    for (const { reject } of this.#waiting.values())
      reject(new Error(`The process ended. It printed:\n${this.#output}`));
    this.#waiting.clear();
  }

  async #until(isMet: () => boolean, what: string): Promise<void> {
    const isOver = (): boolean => isMet() || this.#child.exitCode !== null;
    await eventually(() => isOver() || Promise.reject(new Error('not yet')), { within: '30s' }).catch(() => undefined);
    if (!isMet()) throw new Error(`The process is not ${what}. It printed:\n${this.#output}`);
  }
}

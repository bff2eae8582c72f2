import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../src/testing/index.js';

const TYPESCRIPT = fileURLToPath(new URL('./typescript.js', import.meta.url));
const SHIFTED_CLOCK = fileURLToPath(new URL('./shifted-clock.js', import.meta.url));

/** What a child can be told to do: for each job what it is given, and what it answers. */
export type Jobs<Names extends string> = Readonly<Record<Names, { readonly given: unknown; readonly answer: unknown }>>;

type FromChild =
  | { readonly ready: true }
  | { readonly news: unknown }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string };

interface ToChild {
  readonly id: number;
  readonly job: string;
  readonly given: unknown;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A child process that does jobs, as its parent sees it. Its module calls {@link serveJobs}. */
export class JobProcess<All extends Jobs<keyof All & string>> {
  /** What it has told of without being asked. */
  readonly news: unknown[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  #output = '';
  #ready = false;
  #jobs = 0;

  /** @param clockShiftMs how far its `Date` is off */
  constructor(module: URL, clockShiftMs = 0) {
    this.#child = fork(fileURLToPath(module), {
      execArgv: ['--import', TYPESCRIPT, '--import', SHIFTED_CLOCK],
      env: { ...process.env, CLOCK_SHIFT_MS: String(clockShiftMs) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#ended = once(this.#child, 'exit').then(() => this.#fail());
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    }
    this.#child.on('message', (message: FromChild) => this.#hear(message));
  }

  async untilReady(): Promise<this> {
    await this.until(() => this.#ready, 'ready');
    return this;
  }

  /** Does a job, and resolves with its answer. Rejects when it fails, or the process ends. */
  do<Name extends keyof All & string>(job: Name, given: All[Name]['given']): Promise<All[Name]['answer']> {
    this.#jobs += 1;
    const message: ToChild = { id: this.#jobs, job, given };
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(message.id, { resolve, reject });
      this.#child.send(message);
    });
  }

  /** Lets go of it. Rejects when it does not end by itself: then it has left a timer or a connection open. */
  async end(): Promise<void> {
    this.#child.disconnect();
    await this.until(() => this.#child.exitCode !== null, 'gone');
  }

  /** kill -9: nothing in the process runs any more. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** It stands still, and does not know. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  /** It goes on, after {@link pause}. */
  resume(): void {
    this.#child.kill('SIGCONT');
  }

  protected async until(isMet: () => boolean, what: string): Promise<void> {
    const isOver = (): boolean => isMet() || this.#child.exitCode !== null;
    await eventually(() => isOver() || Promise.reject(new Error('not yet')), { within: '30s' }).catch(() => undefined);
    if (!isMet()) throw new Error(`The process is not ${what}. It printed:\n${this.#output}`);
  }

  #hear(message: FromChild): void {
    if ('ready' in message) this.#ready = true;
    else if ('news' in message) this.news.push(message.news);
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
}

/** The child's side: does what the parent tells it to, and ends by itself when the parent lets go of it, unless something that it opened is still open. */
export function serveJobs<All extends Jobs<keyof All & string>>(jobs: {
  readonly [Name in keyof All & string]: (given: All[Name]['given']) => Promise<All[Name]['answer']>;
}): void {
  process.on('message', ({ id, job, given }: ToChild) => {
    jobs[job as keyof All & string](given).then(
      (answer) => process.send?.({ id, answer }),
      (error: unknown) => process.send?.({ id, error: String((error as Error).stack ?? error) }),
    );
  });
  process.send?.({ ready: true });
}

/** Tells the parent something that it did not ask for. */
export function tellNews(news: unknown): void {
  process.send?.({ news });
}

/** Microseconds on the clock that all processes of a machine share, whatever their `Date` says. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

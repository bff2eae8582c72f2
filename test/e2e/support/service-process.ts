import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from 'rookery/testing';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** How the process ended, and all that it printed. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** The service as a process of its own, as `npm start` runs it. */
export class ServiceProcess {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #output = '';

  constructor(env: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, ['--import', './test/e2e/support/sources.js', 'src/app/main.ts'], {
      cwd: ROOT,
      // Nothing of the environment of the test run: a DATABASE_URL there would change what is tested.
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    }
    this.ended = once(this.#child, 'close').then(([code]: (number | null)[]) => ({
      code: code ?? null,
      output: this.#output,
    }));
  }

  get output(): string {
    return this.#output;
  }

  /** The address that the service says it listens on, once it does. */
  async url(): Promise<string> {
    return eventually(
      () => {
        const [, url] = /open at (http\S+)/.exec(this.#output) ?? [];
        if (url === undefined) throw new Error(`Not started yet. It printed:\n${this.#output}`);
        return url;
      },
      { within: '60s' },
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** For after a test, whatever became of it. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../src/testing/index.js';
import type { ChildSettings, FromChild, ToChild } from './write-behind-protocol.js';

const CHILD = fileURLToPath(new URL('./write-behind-child.ts', import.meta.url));
const TYPESCRIPT = fileURLToPath(new URL('./typescript.js', import.meta.url));

/** A child process with a journal, as its parent sees it. */
export class WriteBehindProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = '';
  #ready = false;
  #hangsAt: string | undefined;

  constructor(settings: ChildSettings, onMessage: (message: FromChild) => void = () => undefined) {
    this.#child = fork(CHILD, [JSON.stringify(settings)], {
      execArgv: ['--import', TYPESCRIPT],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#ended = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    }
    this.#child.on('message', (message: FromChild) => {
      if ('ready' in message) this.#ready = true;
      if ('hanging' in message) this.#hangsAt = message.hanging;
      onMessage(message);
    });
  }

  async untilReady(): Promise<this> {
    await eventually(
      () => {
        if (!this.#ready) throw new Error(`Not ready. It printed:\n${this.#output}`);
      },
      { within: '20s' },
    );
    return this;
  }

  /** The id of the batch in whose flush it hangs. */
  untilItHangs(): Promise<string> {
    return eventually(() => {
      if (this.#hangsAt === undefined) throw new Error(`It does not hang. It printed:\n${this.#output}`);
      return this.#hangsAt;
    });
  }

  /** Returns false when the process cannot be told any more. */
  tell(message: ToChild): boolean {
    return this.#child.connected && this.#child.send(message, () => undefined);
  }

  /** kill -9: nothing in the process runs any more. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { RedisServerError } from '../testing.errors.js';

/**
 * A shell between us and the server. Its standard input is a pipe that only our process holds, so the kernel closes it
 * however our process ends; a reader then kills the server, also one that is stopped by SIGSTOP. The shell waits for
 * the server, which keeps the process id from being reused while anyone may still signal it.
 */
const WATCHER = `
log=$1; shift
exec 3<&0
"$@" </dev/null 3<&- >>"$log" 2>&1 &
server=$!
{ while read -r _; do :; done; kill -KILL "$server"; } <&3 >/dev/null 2>&1 &
reader=$!
exec 3<&- </dev/null
echo "$server"
exec >&-
wait "$server"
kill -KILL "$reader" 2>/dev/null
wait "$reader" 2>/dev/null
kill -KILL 0
`;

/** A program to run, and where. */
export interface WatchedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** What the program prints is appended here. */
  readonly logFile: string;
}

/**
 * A child process that does not outlive this one, whatever ends it: exit, exception, a signal, `kill -9`.
 *
 * It does not keep this process alive either, so that a test run which forgets to stop it still ends.
 */
export class WatchedProcess {
  /** Settles when the program has ended and has been reaped. */
  readonly exited: Promise<void>;
  readonly pid: number;
  readonly #watcher: ChildProcess;
  #running = true;

  private constructor(watcher: ChildProcess, pid: number, exited: Promise<void>) {
    this.#watcher = watcher;
    this.pid = pid;
    this.exited = exited.then(() => {
      this.#running = false;
    });
  }

  /** @throws {RedisServerError} when no shell can be started. */
  static async start({ command, args, cwd, logFile }: WatchedCommand): Promise<WatchedProcess> {
    const watcher = spawn('/bin/sh', ['-c', WATCHER, 'rookery-watcher', logFile, command, ...args], {
      cwd,
      // A process group of its own: Ctrl-C in the terminal is for the test run, which then closes the pipe.
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    // The pipe may break before we close it; nothing is ever written to it.
    watcher.stdin.on('error', () => undefined);
    const exited = new Promise<void>((resolve) => {
      watcher.once('close', () => resolve());
      watcher.once('error', () => resolve());
    });
    const pid = await Promise.race([
      once(watcher.stdout, 'data').then(([line]) => Number(String(line))),
      exited.then(() => undefined),
    ]).catch(() => undefined);
    if (!pid) throw new RedisServerError('A Redis server is watched over by /bin/sh, which could not be started.');
    for (const handle of [watcher, watcher.stdin as Socket, watcher.stdout as Socket]) handle.unref();
    return new WatchedProcess(watcher, pid, exited);
  }

  get running(): boolean {
    return this.#running;
  }

  /** Sends the signal, if the program still runs. */
  signal(signal: NodeJS.Signals): void {
    if (!this.#running) return;
    try {
      process.kill(this.pid, signal);
    } catch (error) {
      // It has ended in the meantime, which is the only way that a signal to our own child can fail.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** SIGKILL, then waits until the program is gone. Works on a stopped program too. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#untilExited();
  }

  /** SIGTERM, then waits until the program is gone; SIGKILL when it takes longer than `graceMs`. */
  async terminate(graceMs: number): Promise<void> {
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const deadline = setTimeout(() => this.signal('SIGKILL'), graceMs);
    await this.#untilExited();
    clearTimeout(deadline);
  }

  async #untilExited(): Promise<void> {
    this.#watcher.ref();
    await this.exited;
  }
}

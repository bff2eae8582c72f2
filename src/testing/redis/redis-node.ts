import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLine, type RedisBinary } from '../binary/redis-binary.js';
import { RedisServerError } from '../testing.errors.js';
import { adminCommand, type CommandArgument } from './admin-command.js';
import { isStopped } from './process-state.js';
import { LOOPBACK, type RedisAccess, type RedisAddress } from './redis-address.js';
import { WatchedProcess } from './watched-process.js';

/** What a server was started as. A failover changes what it is, not this. */
export type RedisRole = 'master' | 'replica' | 'sentinel';

/** Where a node lives, and how it is entered. */
export interface RedisNodeSpec {
  readonly role: RedisRole;
  readonly port: number;
  readonly binary: RedisBinary;
  readonly folder: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly access: RedisAccess;
}

/** Long enough for a server to load the data that a test writes on a machine that is busy. */
const START_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 10_000;
const COMMAND_TIMEOUT_MS = 5_000;
/** Short, because whoever else holds the port may accept and say nothing. */
const PROBE_TIMEOUT_MS = 1_000;
const POLL_MS = 15;

/** One server process, and the means to make it fail. */
export class RedisNode implements RedisAddress {
  readonly host = LOOPBACK;
  readonly port: number;
  readonly role: RedisRole;
  readonly #spec: RedisNodeSpec;
  #process: WatchedProcess | undefined;

  constructor(spec: RedisNodeSpec) {
    this.#spec = spec;
    this.port = spec.port;
    this.role = spec.role;
  }

  /** The process id of the server itself. Undefined while it does not run. */
  get pid(): number | undefined {
    return this.running ? this.#process?.pid : undefined;
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  /**
   * Starts the server; does nothing when it runs. When this resolves, the process behind the port is this node's own and
   * has loaded its data.
   *
   * @throws {RedisServerError} when it ends before that, with the last lines of its log.
   */
  async start(): Promise<void> {
    if (this.running) return;
    const { binary, configFile, folder, logFile, role } = this.#spec;
    const words = role === 'sentinel' ? [configFile, '--sentinel'] : [configFile];
    const program = commandLine(binary.path, words, binary.libraryPath);
    const process = await WatchedProcess.start({ ...program, cwd: folder, logFile });
    this.#process = process;
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await this.#answers(process.pid))) {
      if (!process.running) throw await this.#failure('did not start');
      if (performance.now() > deadline) {
        await process.kill();
        throw await this.#failure(`did not answer within ${START_TIMEOUT_MS} ms`);
      }
      await sleep(POLL_MS);
    }
  }

  /** Freezes the server with SIGSTOP: connections stay open and nothing is answered. Resolves once it stands still. */
  async pause(): Promise<void> {
    const pid = this.#requirePid();
    this.#process?.signal('SIGSTOP');
    while (this.running && !(await isStopped(pid))) await sleep(1);
  }

  /** Lets a paused server go on (SIGCONT). Resolves once it runs again. */
  async resume(): Promise<void> {
    const pid = this.#requirePid();
    this.#process?.signal('SIGCONT');
    while (this.running && (await isStopped(pid))) await sleep(1);
  }

  /** Ends the server as a crash would (SIGKILL), and resolves once it is gone. What no append-only file holds is lost. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** Shuts the server down in order, with its data saved, and resolves once it is gone. A paused server is resumed for it. */
  async stop(): Promise<void> {
    await this.#process?.terminate(STOP_GRACE_MS);
  }

  /** {@link stop}, then {@link start} on the same port with the same data. After {@link kill}, only the start. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /**
   * Sends one command on a connection of its own, and closes it: for set-up and for looking inside, not for speed.
   *
   * @throws the server's error reply, or a connection error when it does not answer within 5 s.
   */
  async command(command: string, ...args: CommandArgument[]): Promise<unknown> {
    return adminCommand(this, this.#spec.access, [command, ...args], COMMAND_TIMEOUT_MS);
  }

  /** Any server may be behind the port, when another process was faster: only our own process id counts. */
  async #answers(pid: number): Promise<boolean> {
    const info = String(await adminCommand(this, this.#spec.access, ['INFO'], PROBE_TIMEOUT_MS).catch(() => ''));
    return new RegExp(`^process_id:${pid}\\r?$`, 'm').test(info) && !/^loading:1/m.test(info);
  }

  #requirePid(): number {
    const pid = this.pid;
    if (pid === undefined) throw new RedisServerError(`The ${this.role} on port ${this.port} does not run.`);
    return pid;
  }

  async #failure(what: string): Promise<RedisServerError> {
    const log = await readFile(this.#spec.logFile, 'utf8').catch(() => '');
    const lastLines = log.trimEnd().split('\n').slice(-8).join('\n');
    return new RedisServerError(`The ${this.role} on port ${this.port} ${what}. Its log ends with:\n${lastLines}`, {
      context: { port: this.port, portTaken: /address already in use/i.test(lastLines) },
    });
  }
}
